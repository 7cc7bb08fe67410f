package dev.mainstay.engine.check;

/// Who receives WAL, in words.
final class Receiver {
    private Receiver() {}

    /// What to do where nobody does.
    static String start(String source) {
        return "start: mainstay wal receive "
                + source
                + ", or mainstay server, which does so for all sources";
    }
}
