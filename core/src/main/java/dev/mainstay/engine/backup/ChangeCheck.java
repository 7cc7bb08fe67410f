package dev.mainstay.engine.backup;

import dev.mainstay.base.Lsn;
import dev.mainstay.postgres.cluster.ClusterFile;
import dev.mainstay.postgres.cluster.PageCheck;
import dev.mainstay.postgres.cluster.RelationFile;
import dev.mainstay.repository.ChangedPages;
import dev.mainstay.repository.PageComparison;
import dev.mainstay.repository.PageSource;

import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// Everything is read, and every page that differs from the earlier backup's is held against what
/// the log says: `backup --verify-changes`.
final class ChangeCheck {
    private static final int ATTEMPTS = 5;

    private final int blockSizeBytes;
    private final Lsn start;
    private final Function<ClusterFile, ChangedPages> named;
    private final ChangeFindings findings = new ChangeFindings();

    /// @param start of this backup
    /// @param named what the log says of a file
    ChangeCheck(int blockSizeBytes, Lsn start, Function<ClusterFile, ChangedPages> named) {
        this.blockSizeBytes = blockSizeBytes;
        this.start = start;
        this.named = named;
    }

    ChangeReport report() {
        return findings.report();
    }

    /// For one part of a file, by one thread.
    ///
    /// @param firstBlock of the file within its fork
    /// @param again reads the file once more: what the server was just writing looks different then
    /// @return empty for what the log is not asked about
    Optional<PageComparison> of(ClusterFile file, int firstBlock, PageSource again) {
        return file.relation().map(RelationFile::fork).equals(Optional.of(RelationFile.Fork.MAIN))
                ? Optional.of(new Comparison(file.path(), named.apply(file), firstBlock, again))
                : Optional.empty();
    }

    private final class Comparison implements PageComparison {
        private final String path;
        private final ChangedPages named;
        private final int firstBlock;
        private final PageSource again;
        private final ChangeJudge judge = new ChangeJudge(blockSizeBytes, start);
        private final byte[] page = new byte[blockSizeBytes];

        Comparison(String path, ChangedPages named, int firstBlock, PageSource again) {
            this.path = path;
            this.named = named;
            this.firstBlock = firstBlock;
            this.again = again;
        }

        @Override
        public void same(int block) {
            findings.count(
                    isNamed(block) ? ChangeJudge.Verdict.NAMED : ChangeJudge.Verdict.UNCHANGED);
        }

        private boolean isNamed(int block) {
            return named.next(block, block + 1) == block;
        }

        @Override
        public void differs(int block, byte[] now, int offset, Supplier<Optional<byte[]>> earlier) {
            ChangeJudge.Verdict verdict = verdict(block, now, offset, earlier);
            System.arraycopy(now, offset, page, 0, blockSizeBytes);
            for (int attempt = 1;
                    verdict == ChangeJudge.Verdict.MISSED && attempt < ATTEMPTS;
                    attempt++) {
                if (again.read(block, 1, page) < 1) {
                    verdict = ChangeJudge.Verdict.LATER; // truncated meanwhile
                } else {
                    verdict = verdict(block, page, 0, earlier);
                }
            }
            if (verdict == ChangeJudge.Verdict.MISSED) {
                Lsn before = earlier.get().map(bytes -> PageCheck.lsn(bytes, 0)).orElse(Lsn.NONE);
                findings.missed(
                        path,
                        Integer.toUnsignedLong(firstBlock + block),
                        before,
                        PageCheck.lsn(page, 0));
            } else {
                findings.count(verdict);
            }
        }

        private ChangeJudge.Verdict verdict(
                int block, byte[] bytes, int offset, Supplier<Optional<byte[]>> earlier) {
            return judge.judge(bytes, offset, firstBlock + block, isNamed(block), earlier);
        }
    }
}
