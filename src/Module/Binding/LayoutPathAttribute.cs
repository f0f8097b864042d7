using System.Collections;
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
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) => inputData is null ? null! : ToPaths(inputData);

    private static object ToPaths(object input) => PSValue.Unwrap(input) switch
    {
        string path => path,
        // A name that looks like a number is one to PowerShell, which has kept the text.
        IConvertible => input,
        FileSystemInfo file => WildcardPattern.Escape(file.FullName),
        PathInfo location => WildcardPattern.Escape(location.Path),
        IEnumerable several and not IDictionary => several.Cast<object?>().Select(item => item is null ? null : ToPaths(item)).ToArray(),
        var value => PSObject.AsPSObject(input).Properties["Layout"]?.Value is string layout ? WildcardPattern.Escape(layout) : throw Refusal(value!),
    };

    /// <remarks>By the inner exception PowerShell sees that the object is not for this parameter, and tries to bind its properties.</remarks>
    private static ArgumentTransformationMetadataException Refusal(object value)
    {
        var message = $"Nothing in an object of the type {value.GetType().Name} says where a layout is: give a path, a file or folder, or an object with the property Layout.";
        return new ArgumentTransformationMetadataException(message, new PSInvalidCastException(message));
    }
}
