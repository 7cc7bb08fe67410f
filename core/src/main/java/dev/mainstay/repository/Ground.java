package dev.mainstay.repository;

import java.security.SecureRandom;
import java.time.Clock;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;

/// What a repository takes from the world besides its store.
///
/// @param random a source fit for keys; tests pass a seeded one
/// @param beside runs what goes on beside a backup; a simulation that has to replay exactly passes
///   one that runs it at once
public record Ground(InstantSource clock, RandomGenerator random, Executor beside) {
    public Ground(InstantSource clock, RandomGenerator random) {
        this(clock, random, Thread::startVirtualThread);
    }

    public static Ground ofThisHost() {
        return new Ground(Clock.systemUTC(), new SecureRandom());
    }

    /// Bytes nobody can guess.
    public byte[] randomBytes(int length) {
        byte[] bytes = new byte[length];
        synchronized (random) {
            random.nextBytes(bytes);
        }
        return bytes;
    }
}
