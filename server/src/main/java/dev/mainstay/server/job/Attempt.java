package dev.mainstay.server.job;

import dev.mainstay.base.BackupId;

import java.util.List;
import java.util.function.Consumer;

/// A try at a job, as its work sees it.
///
/// @param earlier backups that earlier tries had begun: what failed behind a commit has taken one
///   all the same
/// @param begins is told of each backup that this one begins, before it can exist
public record Attempt(List<BackupId> earlier, Consumer<BackupId> begins) {
    public Attempt {
        earlier = List.copyOf(earlier);
    }

    /// The first one, of which nobody wants to know.
    public static Attempt first() {
        return new Attempt(List.of(), _ -> {});
    }
}
