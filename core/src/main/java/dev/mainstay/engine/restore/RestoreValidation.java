package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;

import java.nio.file.Path;

/// Does everything a restore does except writing: reads every frame and every WAL segment and
/// proves them.
public final class RestoreValidation {
    private static final int FRAMES_AT_ONCE = 100_000;
    private static final long PAGES_AT_ONCE = 4L << 20;
    private static final Path NOWHERE = Path.of("/dev/null");

    private final ProtectedSource source;
    private final RestorePlan plan;
    private final Progress progress;

    public RestoreValidation(ProtectedSource source, RestorePlan plan, Progress progress) {
        this.source = source;
        this.plan = plan;
        this.progress = progress;
    }

    /// @throws MainstayException RESTORE_CONTENT_WRONG or what the repository says
    public void run() {
        progress.begin("reading " + source.name(), plan.volume().size().bytes());
        try (BackupReader reader = source.read(plan.backup())) {
            files(reader);
        } finally {
            progress.end();
        }
        progress.begin(
                "reading WAL", plan.replay().segments() * plan.details().layout().walSegmentSize());
        try {
            wal();
        } finally {
            progress.end();
        }
    }

    private void files(BackupReader reader) {
        FrameReads[] batch = {new FrameReads()};
        reader.entries(
                entry -> {
                    FileBatches.file(entry, NOWHERE, reader, batch[0])
                            .filter(file -> file.entry().sizeBytes() == 0)
                            .ifPresent(FileWork::demandWhole);
                    if (batch[0].frames() >= FRAMES_AT_ONCE || batch[0].pages() >= PAGES_AT_ONCE) {
                        run(batch[0], reader);
                        batch[0] = new FrameReads();
                    }
                });
        run(batch[0], reader);
    }

    private void run(FrameReads batch, BackupReader reader) {
        batch.run(reader, plan.request().processMax(), Reading::new, progress);
    }

    /// Takes what was proved and keeps nothing.
    private static final class Reading implements FrameReads.Sink {
        @Override
        public void write(FileWork file, byte[] bytes, int offset, int length, long position) {}

        @Override
        public void complete(FileWork file) {}

        @Override
        public void close() {}
    }

    private void wal() {
        WalArchive archive = source.wal(plan.details().systemId(), 1);
        WalCoverage coverage =
                new WalCoverage(
                        archive,
                        new Histories(archive)
                                .choose(plan.request().recovery().timeline(), plan.details())
                                .history(),
                        plan.details().startSegment());
        long last = plan.replay().last().number();
        for (long number = plan.replay().first().number(); number <= last; number++) {
            WalSegment segment = coverage.segment(number);
            if (coverage.bytes(number).isEmpty()) {
                throw new MainstayException(
                        ErrorCode.RESTORE_TARGET_UNREACHABLE,
                        "WAL segment " + segment + " is not in the repository");
            }
            progress.advance(segment.sizeBytes());
            if (Thread.currentThread().isInterrupted()) {
                throw new MainstayException(ErrorCode.INTERRUPTED, "stopped");
            }
        }
    }
}
