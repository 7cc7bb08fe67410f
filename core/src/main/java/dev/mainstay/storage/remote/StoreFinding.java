package dev.mainstay.storage.remote;

/// Something about where a store keeps its objects that was looked at.
///
/// @param id stable
/// @param text what is the matter
/// @param whatToDo for the operator; empty where all is well
public record StoreFinding(String id, Severity severity, String text, String whatToDo) {
    /// How bad it is.
    public enum Severity {
        OK,
        WARNING,
        /// What was configured cannot be had.
        ERROR
    }

    public static StoreFinding ok(String id, String text) {
        return new StoreFinding(id, Severity.OK, text, "");
    }

    public static StoreFinding warning(String id, String text, String whatToDo) {
        return new StoreFinding(id, Severity.WARNING, text, whatToDo);
    }

    public static StoreFinding error(String id, String text, String whatToDo) {
        return new StoreFinding(id, Severity.ERROR, text, whatToDo);
    }
}
