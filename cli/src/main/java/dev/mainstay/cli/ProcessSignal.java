package dev.mainstay.cli;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/// Signals of the operating system. The only way to hear them is the unofficial `sun.misc.Signal`;
/// it is reached by reflection because javac warns of it unconditionally.
final class ProcessSignal {
    private ProcessSignal() {}

    /// From now on this is done, in a thread of its own, when the signal comes, and nothing else.
    ///
    /// @param name without `SIG`
    /// @throws IllegalArgumentException if this system has no such signal
    /// @throws ReflectiveOperationException if signals cannot be heard
    static void listen(String name, Runnable action) throws ReflectiveOperationException {
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
