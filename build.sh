#!/usr/bin/env bash
# The tasks of build.ps1, by the PowerShell on the PATH or the one restored as a .NET tool; without one, what can be done without:
#   ./build.sh [Build|Test|Bench|Package|Quickstart] [options of build.ps1]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 POWERSHELL_TELEMETRY_OPTOUT=1
task=${1:-Build}; shift || true

command -v dotnet >/dev/null || { echo "build.sh: the .NET SDK 10 (or newer) is missing: https://dotnet.microsoft.com/download" >&2; exit 1; }

if command -v pwsh >/dev/null; then
  exec pwsh -NoProfile -NonInteractive -File build.ps1 "$task" "$@"
elif restored=$(timeout 120 dotnet tool restore 2>&1) && dotnet tool run pwsh -- -NoProfile -Command exit >/dev/null 2>&1; then
  exec dotnet tool run pwsh -- -NoProfile -NonInteractive -File build.ps1 "$task" "$@"
fi

echo "PowerShell 7.4 or newer is missing: there is no pwsh on the PATH, and it can't be restored as a .NET tool:" >&2
grep -m1 -iE 'error|unable|not found|could not' <<<"${restored:-it gave no reason}" | sed 's/^ */  /' >&2 || true

# counts TRX: passed failed skipped
counts() {
  local outcome
  for outcome in Passed Failed NotExecuted; do grep -c "<UnitTestResult .*outcome=\"$outcome\"" "$1" || true; done | xargs
}

case $task in
  Build)
    dotnet build BuildKit.slnx -c Release
    ;;
  Test)
    status=0; rm -rf out/test
    tests/engines/engines check docker28 docker26 docker20 buildkitd tools || echo "Tests that need engines will be skipped."
    dotnet test tests/Core.Tests -c Release --logger trx --results-directory out/test || status=$?
    tests/engines/engines reap || true
    read -r passed failed skipped < <(counts out/test/*.trx)
    ((status == 0 || failed > 0)) || { failed=1; echo "dotnet test ended with exit code $status, with no failed test: counted as one."; }
    echo "The Pester suite (tests/Module.Tests) did not run: it needs PowerShell."
    echo "$passed passed, $failed failed, $skipped skipped"
    exit "$((failed > 0))"
    ;;
  Quickstart)
    echo "Building samples/hello by the library instead: samples/HelloSolve"
    if [[ -n ${BUILDX_BUILDER:-}${BUILDKIT_HOST:-}${DOCKER_HOST:-}${DOCKER_CONTEXT:-} || -S /var/run/docker.sock ]]; then
      exec dotnet run --project samples/HelloSolve
    fi
    engines=tests/engines/engines name=quickstart-$$
    "$engines" check docker28 || { echo "There is no Docker Engine here: start one, or name one by DOCKER_HOST." >&2; exit 1; }
    address=$("$engines" up "$name" docker28 --owner $$)
    trap '"$engines" down "$name"' EXIT
    "$engines" image "$name" busybox:latest >/dev/null
    dotnet run --project samples/HelloSolve -- samples/hello "$address"
    echo "docker run hello:1"
    "$engines" docker "$name" run --rm hello:1
    ;;
  *)
    echo "build.sh: $task needs PowerShell." >&2
    exit 1
    ;;
esac
