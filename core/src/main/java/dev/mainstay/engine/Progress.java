package dev.mainstay.engine;

import java.util.function.Consumer;

/// Where an operation tells how far it is. Operations call it from any of their threads; an
/// implementation is thread-safe, quick, and never throws. One step is begun at a time; bytes that
/// are reported outside a step are ignored.
public interface Progress {
    /// A step begins; a step that was not ended yet ends.
    ///
    /// @param what reads well behind a percentage: `reading orders`
    /// @param totalBytes what [#advance] will sum up to; zero or less if nobody knows
    void begin(String what, long totalBytes);

    /// So many more bytes are done.
    void advance(long bytes);

    /// Something an operator should read now, in one line.
    void note(String line);

    /// The step ended, well or not.
    void end();

    /// Tells nobody.
    static Progress none() {
        return notes(_ -> {});
    }

    /// Tells what is noted, and nothing else.
    static Progress notes(Consumer<String> each) {
        return new Progress() {
            @Override
            public void begin(String what, long totalBytes) {}

            @Override
            public void advance(long bytes) {}

            @Override
            public void note(String line) {
                each.accept(line);
            }

            @Override
            public void end() {}
        };
    }
}
