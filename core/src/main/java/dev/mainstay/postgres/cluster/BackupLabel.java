package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the file `backup_label` of a backup says. Recovery starts by it.
///
/// @param start replay begins here
/// @param walFile name of the segment that contains `start`
/// @param checkpoint position of the checkpoint record
/// @param startTime as the server printed it, in its `log_timezone`
/// @param since of what an incremental base backup has only the changes; empty for a whole one
public record BackupLabel(
        Lsn start,
        String walFile,
        Lsn checkpoint,
        TimelineId timeline,
        String startTime,
        String label,
        Optional<Earlier> since) {
    /// Where replay of the earlier backup begins on which an incremental one builds.
    public record Earlier(Lsn start, TimelineId timeline) {}

    private static final String POSITION = "([0-9A-F]+/[0-9A-F]+)";

    /// @throws MainstayException SERVER_PROTOCOL if a line is missing or not understood
    public static BackupLabel parse(String text) {
        Matcher start =
                line(text, "START WAL LOCATION: " + POSITION + " \\(file ([0-9A-F]{24})\\)");
        try {
            return new BackupLabel(
                    Lsn.parse(start.group(1)),
                    start.group(2),
                    Lsn.parse(line(text, "CHECKPOINT LOCATION: " + POSITION).group(1)),
                    TimelineId.of(
                            Integer.parseUnsignedInt(
                                    line(text, "START TIMELINE: (\\d+)").group(1))),
                    line(text, "START TIME: (.+)").group(1),
                    optional(text, "LABEL: (.*)").map(m -> m.group(1)).orElse(""),
                    since(text));
        } catch (IllegalArgumentException e) {
            throw new MainstayException(
                    ErrorCode.SERVER_PROTOCOL, "backup_label: " + e.getMessage(), e);
        }
    }

    private static Optional<Earlier> since(String text) {
        return optional(text, "INCREMENTAL FROM LSN: " + POSITION)
                .map(
                        lsn ->
                                new Earlier(
                                        Lsn.parse(lsn.group(1)),
                                        TimelineId.of(
                                                Integer.parseUnsignedInt(
                                                        line(text, "INCREMENTAL FROM TLI: (\\d+)")
                                                                .group(1)))));
    }

    private static Matcher line(String text, String regex) {
        return optional(text, regex)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.SERVER_PROTOCOL,
                                        "backup_label has no line like '" + regex + "'"));
    }

    private static Optional<Matcher> optional(String text, String regex) {
        Matcher matcher = Pattern.compile("^" + regex + "$", Pattern.MULTILINE).matcher(text);
        return matcher.find() ? Optional.of(matcher) : Optional.empty();
    }
}
