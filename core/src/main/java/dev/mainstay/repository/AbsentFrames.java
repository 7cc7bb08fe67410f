package dev.mainstay.repository;

import dev.mainstay.repository.format.FrameRef;

import java.util.Set;

/// Frames that a backup treats as if they were not there: those of packs that a collector has
/// claimed, and those that are known to be lost.
///
/// @param claimed hex names of packs
record AbsentFrames(Set<String> claimed, KnownLoss lost) {
    boolean isClaimed(FrameRef frame) {
        return claimed.contains(frame.pack().hex());
    }

    boolean contains(FrameRef frame) {
        return isClaimed(frame) || lost.contains(frame);
    }

    boolean isEmpty() {
        return claimed.isEmpty() && lost.isEmpty();
    }
}
