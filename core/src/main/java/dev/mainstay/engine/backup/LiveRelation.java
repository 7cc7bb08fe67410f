package dev.mainstay.engine.backup;

import dev.mainstay.postgres.cluster.RelationPageReader;
import dev.mainstay.repository.PageSource;

import java.util.Optional;
import java.util.function.LongConsumer;

/// The pages of a relation file of a running server. The file is opened with the first page that is
/// asked for: most files of an incremental are never touched. One for each part of a file.
final class LiveRelation implements PageSource, AutoCloseable {
    /// The file is gone: its relation was dropped, or truncated away.
    static final class Vanished extends RuntimeException {
        private static final long serialVersionUID = 1;

        Vanished() {
            super(null, null, false, false);
        }
    }

    private final RelationPageReader.Target target;
    private final Optional<RelationPageReader.Verification> verification;
    private final LongConsumer read;
    private Optional<RelationPageReader> reader = Optional.empty();

    /// @param read is told bytes as they are read
    LiveRelation(
            RelationPageReader.Target target,
            Optional<RelationPageReader.Verification> verification,
            LongConsumer read) {
        this.target = target;
        this.verification = verification;
        this.read = read;
    }

    /// @throws Vanished by the first read, never by a later one
    @Override
    public int read(int firstBlock, int pages, byte[] into) {
        RelationPageReader open = open();
        open.seek(firstBlock);
        int got = 0;
        while (got < pages) {
            int more = open.read(into, got * target.blockSizeBytes(), pages - got);
            if (more == 0) {
                break;
            }
            got += more;
        }
        read.accept((long) got * target.blockSizeBytes());
        return got;
    }

    private RelationPageReader open() {
        if (reader.isEmpty()) {
            reader = RelationPageReader.open(target, verification);
        }
        return reader.orElseThrow(Vanished::new);
    }

    @Override
    public void close() {
        reader.ifPresent(RelationPageReader::close);
    }
}
