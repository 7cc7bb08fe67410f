package dev.mainstay.postgres.cluster;

import java.util.Optional;

/// One thing that was looked at: it is right, makes backups worth less, or stands in their way.
///
/// @param id stable, such as `right-execute`; several findings may share it
/// @param text what is the matter
/// @param whatToDo for the operator
/// @param statement SQL that puts it right
/// @param restartNeeded whether the server must be restarted before it is put right
public record Finding(
        String id,
        Severity severity,
        String text,
        String whatToDo,
        Optional<String> statement,
        boolean restartNeeded) {
    public enum Severity {
        /// As it should be.
        OK,
        /// Backups are possible.
        WARNING,
        /// No backup can be made.
        ERROR
    }

    /// Something that is as it should be, with what was found.
    public static Finding ok(String id, String text) {
        return new Finding(id, Severity.OK, text, "", Optional.empty(), false);
    }

    public static Finding error(String id, String text, String whatToDo) {
        return new Finding(id, Severity.ERROR, text, whatToDo, Optional.empty(), false);
    }

    public static Finding warning(String id, String text, String whatToDo) {
        return new Finding(id, Severity.WARNING, text, whatToDo, Optional.empty(), false);
    }

    public boolean isError() {
        return severity == Severity.ERROR;
    }

    Finding fixedBy(String sql) {
        return new Finding(id, severity, text, whatToDo, Optional.of(sql), restartNeeded);
    }

    Finding afterRestart() {
        return new Finding(id, severity, text, whatToDo, statement, true);
    }
}
