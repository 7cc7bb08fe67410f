package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.restore.HalfRestore;
import dev.mainstay.engine.restore.PreviousCluster;
import dev.mainstay.engine.restore.RestorePlan;

import java.nio.file.Path;
import java.util.Optional;

/// `restore --keep-previous` and `restore --undo`.
final class Previous {
    private final Optional<PreviousCluster> kept;

    private Previous(Optional<PreviousCluster> kept) {
        this.kept = kept;
    }

    static void demandPossible(boolean keepPrevious, boolean delta) {
        if (keepPrevious && delta) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--delta rewrites the files of the previous cluster, so nothing is left that"
                            + " --keep-previous could keep",
                    "leave out --delta: the whole cluster is restored beside the previous one",
                    null);
        }
    }

    /// Judges whether what is in the directory can be kept, if that is wanted. Half a restore is
    /// nobody's cluster.
    static Previous of(Session session, RestorePlan plan, boolean wanted) {
        Path directory = plan.request().directory();
        if (!wanted
                || !PreviousCluster.isThere(directory)
                || HalfRestore.find(directory).isPresent()) {
            return new Previous(Optional.empty());
        }
        PreviousCluster previous = new PreviousCluster(directory, session.clock().instant());
        previous.demand(plan);
        return new Previous(Optional.of(previous));
    }

    boolean isKept() {
        return kept.isPresent();
    }

    void keep(Document document) {
        if (kept.isPresent()) {
            document.add("previous", kept.get().keep().map(Path::toString));
        }
    }

    static Document undo(Session session, Path directory) {
        PreviousCluster.Undone undone =
                new PreviousCluster(directory, session.clock().instant()).undo();
        return Document.of(directory + " is what it was before the restore")
                .add("directory", directory.toString())
                .add("putBackFrom", undone.from().toString())
                .add("setAside", undone.aside().map(Path::toString));
    }
}
