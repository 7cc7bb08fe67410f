package dev.mainstay.server.confirm;

import dev.mainstay.repository.format.Bytes;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.state.JsonMap;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a request would destroy, as things are.
///
/// @param action what the request does
/// @param target what it does it to; empty: all there is
/// @param source of which source that is; empty: of the whole repository
/// @param least who may ask for it, and agree
/// @param bound everything that a consent to this is for, by name
/// @param words what would be lost, a line each
public record Danger(
        Action action,
        String target,
        String source,
        Role least,
        Map<String, String> bound,
        List<String> words) {
    /// What needs a consent.
    public enum Action {
        /// Removes backups that retention policies do not keep.
        EXPIRE,
        PRUNE,
        /// Ends the holds of a backup.
        RELEASE,
        /// Restores where a cluster is.
        RESTORE
    }

    public Danger {
        bound = Map.copyOf(bound);
        words = List.copyOf(words);
    }

    /// Whether nothing would be lost.
    public boolean isNone() {
        return words.isEmpty();
    }

    /// The same for what is the same to destroy, on whichever server that is asked.
    String digest() {
        Map<String, String> all = new TreeMap<>();
        bound.forEach((name, value) -> all.put("bound " + name, value));
        all.put("action", action.name());
        all.put("target", target);
        all.put("source", source);
        return Bytes.sha256Hex(JsonMap.write(all));
    }
}
