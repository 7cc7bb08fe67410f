package dev.mainstay.cli;

import dev.mainstay.repository.format.FrameCoder;

/// Initialises, beside the reading of the command line, what nearly every command needs next and
/// what takes a while: the native zstd library, the cipher, JSON's number tables. Whatever fails
/// here fails again, and is reported, where it is used.
final class Preload implements Runnable {
    private Preload() {}

    static void begin() {
        Thread.ofPlatform().daemon().name("preload").start(new Preload());
    }

    @Override
    public void run() {
        try {
            Class.forName("java.math.BigDecimal");
            new FrameCoder(1).close();
            Class.forName("org.postgresql.Driver");
        } catch (ClassNotFoundException | RuntimeException | LinkageError _) {
            // see above
        }
    }
}
