package dev.mainstay.repository;

import dev.mainstay.repository.format.FrameRef;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/// Where frames are by now that backups refer to: where they were put, or where they have moved
/// since that pack is gone. One look at each pack of which frames have moved, and at each of their
/// places.
final class CurrentPlaces {
    private final Repository repository;
    private final MovedFrames moved;
    private final Map<String, Boolean> there = new HashMap<>();

    CurrentPlaces(Repository repository, Collection<ProtectedSource> sources) {
        this.repository = repository;
        this.moved = MovedFrames.readable(repository, sources);
    }

    /// @return the same where its pack is there, or nobody knows another place
    FrameRef of(FrameRef frame) {
        if (moved.from(frame.pack()).isEmpty() || isThere(frame)) {
            return frame;
        }
        return moved.everywhere(frame).stream().filter(this::isThere).findFirst().orElse(frame);
    }

    private boolean isThere(FrameRef frame) {
        return there.computeIfAbsent(
                Names.pack(frame.packClass(), frame.pack()),
                name -> repository.store().size(name).isPresent());
    }
}
