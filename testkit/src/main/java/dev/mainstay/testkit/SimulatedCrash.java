package dev.mainstay.testkit;

/// The process died here. An error, so that no handler of exceptions cleans up what a dead process
/// could not.
public final class SimulatedCrash extends Error {
    SimulatedCrash(String message) {
        super(message);
    }
}
