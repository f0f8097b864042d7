using BuildKit.Session.Content;

namespace BuildKit.Solve.Planning;

/// <summary>The one content service of a plan, which everything that lies in layout directories shares.</summary>
internal static class ContentStores
{
    /// <summary>The service; it is added where the plan has none.</summary>
    public static ContentService Of(SolvePlan plan)
    {
        var service = plan.Services.OfType<ContentService>().FirstOrDefault();
        if (service is null)
            plan.Services.Add(service = new ContentService());
        return service;
    }
}
