package dev.mainstay.cli;

import java.util.Map;

/// Ends the process at once when it is told to stop once more while it cleans up. Everything that
/// is promised is durable at any moment, so nothing is lost by that but the cleaning up.
///
/// A JVM that is shutting down ignores signals. Where they cannot be heard a second one does
/// nothing, as before.
final class SecondSignal {
    private static final Map<String, Integer> NUMBERS = Map.of("INT", 2, "TERM", 15);
    private static final int BY_SIGNAL = 128;

    private SecondSignal() {}

    /// From now on a signal ends the process, with the exit code that says so.
    static void endsTheProcess() {
        NUMBERS.forEach(
                (name, number) -> {
                    try {
                        ProcessSignal.listen(
                                name, () -> Runtime.getRuntime().halt(BY_SIGNAL + number));
                    } catch (ReflectiveOperationException | IllegalArgumentException notHere) {
                        // the process then ends when it has cleaned up, or when its time is over
                    }
                });
    }
}
