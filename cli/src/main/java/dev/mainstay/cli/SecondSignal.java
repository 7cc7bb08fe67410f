package dev.mainstay.cli;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.Map;

/// Ends the process at once when it is told to stop once more while it cleans up. Everything that
/// is promised is durable at any moment, so nothing is lost by that but the cleaning up.
///
/// A JVM that is shutting down ignores signals, and the only way to hear them is the unofficial
/// `sun.misc.Signal`; it is reached by reflection because javac warns of it unconditionally, and
/// where it is not there a second signal does nothing, as before.
final class SecondSignal {
    private static final Map<String, Integer> NUMBERS = Map.of("INT", 2, "TERM", 15);
    private static final int BY_SIGNAL = 128;

    private SecondSignal() {}

    /// From now on a signal ends the process, with the exit code that says so.
    static void endsTheProcess() {
        NUMBERS.forEach(
                (name, number) -> {
                    try {
                        listen(name, () -> Runtime.getRuntime().halt(BY_SIGNAL + number));
                    } catch (ReflectiveOperationException | IllegalArgumentException notHere) {
                        // the process then ends when it has cleaned up, or when its time is over
                    }
                });
    }

    private static void listen(String name, Runnable action) throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        InvocationHandler calls =
                (_, method, _) -> {
                    if (!method.getName().equals("handle")) {
                        throw new UnsupportedOperationException(method.getName());
                    }
                    action.run();
                    return null;
                };
        Object listener =
                Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, calls);
        signal.getMethod("handle", signal, handler)
                .invoke(null, signal.getConstructor(String.class).newInstance(name), listener);
    }
}
