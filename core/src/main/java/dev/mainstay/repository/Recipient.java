package dev.mainstay.repository;

import java.time.Instant;
import java.util.Optional;
import java.util.SortedSet;

/// A way into a repository: somebody or something for whom its root key is wrapped.
///
/// @param kind `passphrase`, `key-file`, `recovery-key`, or that of a key service
/// @param key which key of a service it is
/// @param label for people
/// @param created empty for those that older programs made
/// @param epochs for which it has the root key
/// @param opens whether the credential in use is this recipient
/// @param proven whether somebody who had the root key wrote all this. What is not proven was made
///   by an older program, or by somebody who can merely write to the store
/// @param sealable whether a new root key can be wrapped for it without its secret
public record Recipient(
        String id,
        String kind,
        Optional<String> key,
        Optional<String> label,
        Optional<Instant> created,
        SortedSet<Integer> epochs,
        boolean opens,
        boolean proven,
        boolean sealable) {
    /// `key-file 0123456789abcdef (of the night shift)`
    @Override
    public String toString() {
        return kind + " " + id + label.map(text -> " (" + text + ")").orElse("");
    }
}
