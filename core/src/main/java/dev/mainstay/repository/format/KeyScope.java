package dev.mainstay.repository.format;

import dev.mainstay.base.SourceId;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/// Whose key seals an object: nobody's, the repository's root key, or a source's key; each of an
/// epoch (docs/format.md section 5).
///
/// @param source empty unless this is a source's scope
/// @param epoch 0 for nobody, otherwise from 1
public record KeyScope(int kind, Optional<SourceId> source, int epoch) {
    static final int NONE = 0;
    static final int ROOT = 1;
    static final int SOURCE = 2;

    public static KeyScope none() {
        return new KeyScope(NONE, Optional.empty(), 0);
    }

    public static KeyScope root(int epoch) {
        return new KeyScope(ROOT, Optional.empty(), epoch);
    }

    public static KeyScope source(SourceId source, int epoch) {
        return new KeyScope(SOURCE, Optional.of(source), epoch);
    }

    byte[] sourceBytes() {
        return source.map(SourceId::bytes).orElseGet(() -> new byte[16]);
    }

    static KeyScope read(String name, byte[] header) {
        int kind = header[11];
        int epoch = Bytes.getInt(header, 12);
        byte[] id = Arrays.copyOfRange(header, 16, 32);
        boolean zero = Arrays.equals(id, new byte[16]);
        if (kind == NONE && zero && epoch == 0) {
            return none();
        }
        if (kind == ROOT && zero && epoch > 0) {
            return root(epoch);
        }
        if (kind == SOURCE && !zero && epoch > 0) {
            return source(SourceId.of(id), epoch);
        }
        throw ObjectHeader.damaged(name, "has an impossible key scope");
    }

    @Override
    public String toString() {
        return switch (kind) {
            case ROOT -> "root key, epoch " + epoch;
            case SOURCE ->
                    "key of source " + HexFormat.of().formatHex(sourceBytes()) + ", epoch " + epoch;
            default -> "no key";
        };
    }
}
