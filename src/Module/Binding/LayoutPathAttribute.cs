using System.Management.Automation;

namespace BuildKit.Module.Binding;

/// <summary>
/// Makes paths of what comes down the pipeline: files and folders by their full name, and the objects of the OCI cmdlets by their layout. PowerShell would
/// take the text of an object for a path before it looks at the object's properties.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class LayoutPathAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var value = inputData is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : inputData;
        return value switch
        {
            string => value,
            FileSystemInfo file => WildcardPattern.Escape(file.FullName),
            object[] several => several.Select(item => Transform(engineIntrinsics, item)).ToArray(),
            _ => PSObject.AsPSObject(inputData).Properties["Layout"]?.Value is string layout ? WildcardPattern.Escape(layout) : inputData,
        };
    }
}
