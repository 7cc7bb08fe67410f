package dev.mainstay.cli;

/// A command. Its class is annotated for picocli, which fills its fields from the arguments.
interface Verb {
    /// Does it. Runs on the main thread, which a signal interrupts: the verb then cleans up within
    /// half a minute and throws, or, if being stopped is its ordinary end, returns.
    ///
    /// @return what is printed, as text or as JSON
    Document run(Session session) throws Exception;
}
