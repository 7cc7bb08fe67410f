package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Json;

import java.util.List;
import java.util.stream.Collectors;

/// How the pages of a backup compare with what the log says of them ([ChangeJudge]), in pages.
///
/// @param first the first ones that were missed; `missed` counts all
public record ChangeReport(
        long unchanged, long named, long masked, long later, long missed, List<MissedPage> first) {
    public ChangeReport {
        first = List.copyOf(first);
    }

    /// A page that changed without the log naming it.
    ///
    /// @param block within the fork, over all segment files
    /// @param earlier the page's position in the log when it was stored before
    public record MissedPage(String path, long block, Lsn earlier, Lsn now) {
        @Override
        public String toString() {
            String change =
                    earlier.equals(now)
                            ? "its position in the log is " + now + " as before"
                            : "its position in the log was " + earlier + " and is " + now;
            return path + " block " + block + " (" + change + ")";
        }
    }

    /// @param since names the earlier backup
    /// @throws MainstayException BACKUP_CHANGES_MISSED if there is a missed page
    public void requireNoneMissed(String since) {
        if (missed > 0) {
            String pages =
                    first.stream().map(MissedPage::toString).collect(Collectors.joining(", "));
            String more = missed > first.size() ? ", and " + (missed - first.size()) + " more" : "";
            throw new MainstayException(
                    ErrorCode.BACKUP_CHANGES_MISSED,
                    missed
                            + (missed == 1 ? " page has" : " pages have")
                            + " changed since backup "
                            + since
                            + " although the WAL names none of them: "
                            + pages
                            + more);
        }
    }

    public Json toJson() {
        return Json.object()
                .put("unchanged", unchanged)
                .put("named", named)
                .put("masked", masked)
                .put("later", later)
                .put("missed", missed)
                .put(
                        "missedPages",
                        first.stream()
                                .map(
                                        page ->
                                                Json.object()
                                                        .put("path", page.path)
                                                        .put("block", page.block)
                                                        .put("earlierLsn", page.earlier.toString())
                                                        .put("lsn", page.now.toString()))
                                .toList());
    }

    public static ChangeReport read(Json json) {
        return new ChangeReport(
                json.number("unchanged"),
                json.number("named"),
                json.number("masked"),
                json.number("later"),
                json.number("missed"),
                json.objects("missedPages").stream()
                        .map(
                                page ->
                                        new MissedPage(
                                                page.string("path"),
                                                page.number("block"),
                                                Lsn.parse(page.string("earlierLsn")),
                                                Lsn.parse(page.string("lsn"))))
                        .toList());
    }
}
