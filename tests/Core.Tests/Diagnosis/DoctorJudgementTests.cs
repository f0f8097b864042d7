using BuildKit.Builders;
using BuildKit.Diagnosis;
using BuildKit.Diagnosis.Checks;
using BuildKit.Docker;
using Xunit;

namespace BuildKit.Tests.Diagnosis;

/// <summary>What follows from what was seen, for what a test can't make a daemon say.</summary>
public class DoctorJudgementTests
{
    [Theory]
    [InlineData(0, "Pass", "agrees with this side's")]
    [InlineData(3, "Pass", "3 s ahead of this side's")]
    [InlineData(-9, "Pass", "9 s behind this side's")]
    [InlineData(-42, "Warning", "42 s behind this side's")]
    [InlineData(300, "Fail", "300 s ahead of this side's")]
    [InlineData(-90_000, "Fail", "25 hours behind this side's")]
    [InlineData(864_000, "Fail", "10 days ahead of this side's")]
    public void A_clock_that_is_off(int seconds, string status, string words)
    {
        var finding = TrialBuildCheck.Judge(new TrialBuild(TimeSpan.Zero, TimeSpan.FromSeconds(seconds), TimeSpan.FromMilliseconds(5)));
        Assert.Equal(status, $"{finding.Status}");
        Assert.Contains(words, finding.Detail, StringComparison.Ordinal);
        Assert.Equal(status != "Pass", finding.Recommendation is not null);
    }

    [Fact]
    public void A_time_between_two_of_ours_tells_of_no_skew()
    {
        var sent = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var heard = sent.AddSeconds(2);
        Assert.Equal(TimeSpan.Zero, TrialBuild.SkewOf(sent.AddSeconds(1), sent, heard));
        Assert.Equal(TimeSpan.FromSeconds(-5), TrialBuild.SkewOf(sent.AddSeconds(-5), sent, heard));
        Assert.Equal(TimeSpan.FromSeconds(5), TrialBuild.SkewOf(heard.AddSeconds(5), sent, heard));
    }

    [Theory]
    [InlineData("vfs", null, "Debian GNU/Linux 12 (containerized)", "Warning", "copies every layer whole")]
    [InlineData("overlay2", "overlayfs", "Alpine Linux (containerized)", "Warning", "a container's own file system")]
    [InlineData("overlay2", "extfs", "Alpine Linux (containerized)", "Pass", "runs in a container or control group of its own, with the storage driver overlay2 on extfs")]
    [InlineData("overlay2", "xfs", "Fedora", "Pass", "does not say that it is in a container")]
    public void An_engine_in_a_container(string driver, string? backing, string system, string status, string words)
    {
        var info = new SystemInfoResponse { Driver = driver, OperatingSystem = system, DriverStatus = backing is null ? null : [["Backing Filesystem", backing]] };
        var finding = DockerInDockerCheck.Judge(info, Finding.Pass("built"));
        Assert.Equal(status, $"{finding.Status}");
        Assert.Contains(words, finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trial_build_that_failed_of_something_else_says_nothing_of_mounts()
    {
        var info = new SystemInfoResponse { Driver = "overlay2", OperatingSystem = "Debian" };
        Assert.Equal(BuildKitCheckStatus.Skipped, DockerInDockerCheck.Judge(info, Finding.Fail("no space left on device", "Free some")).Status);
        Assert.Equal(BuildKitCheckStatus.Fail, DockerInDockerCheck.Judge(info, Finding.Fail("failed to mount x: invalid argument", "…")).Status);
    }

    [Theory]
    [InlineData(100_000_000, "Fail")]
    [InlineData(2_000_000_000, "Warning")]
    [InlineData(20_000_000_000, "Pass")]
    public void A_disk_that_fills(long free, string status) => Assert.Equal(status, $"{CacheChecks.Judge("/var/lib/docker", free, 100_000_000_000).Status}");

    [Theory]
    [InlineData(10L, 10L)]
    [InlineData(30L, 10L, 20L)]
    [InlineData(null, 10L, 0L)]
    [InlineData(null)]
    public void The_cache_may_take_what_all_workers_may(long? limit, params long[] workers) => Assert.Equal(limit, CacheChecks.Limit(workers.Select(size => new BuildKitWorker
    {
        Id = "w",
        GCPolicies = [new BuildKitGcPolicy { All = true, MaxUsedSpace = 5 }, new BuildKitGcPolicy { All = true, MaxUsedSpace = size }, new BuildKitGcPolicy { MaxUsedSpace = 99 }],
    }).Select((worker, index) => workers[index] > 0 ? worker : worker with { GCPolicies = [] }).ToList()));

    [Fact]
    public void What_a_check_needs_stands_before_it()
    {
        var seen = new HashSet<string>();
        foreach (var row in DoctorTable.Rows)
        {
            Assert.Superset(row.Needs.Concat(row.Reads).ToHashSet(), seen);
            Assert.True(seen.Add(row.Name));
        }
    }
}
