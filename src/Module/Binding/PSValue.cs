using System.Management.Automation;

namespace BuildKit.Module.Binding;

/// <summary>Values as PowerShell passes them: often in a wrapper that a cast does not see through.</summary>
internal static class PSValue
{
    /// <summary>Takes a value out of its wrapper.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The object itself. A custom object stays as it is: it is nothing but its properties, which the wrapper has.</returns>
    public static object? Unwrap(object? value) => value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;
}
