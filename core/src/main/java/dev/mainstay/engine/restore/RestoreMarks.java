package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.restore.RestorePlan.Tablespace;
import dev.mainstay.postgres.cluster.ServerVersion;
import dev.mainstay.repository.Ground;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/// The markers of one restore: of its data directory and of each tablespace.
final class RestoreMarks implements AutoCloseable {
    private static final int RANDOM_BYTES = 16;

    private final RestorePlan plan;
    private final Ground ground;
    private final List<RestoreMarker> made = new ArrayList<>();

    RestoreMarks(RestorePlan plan, Ground ground) {
        this.plan = plan;
        this.ground = ground;
    }

    /// Makes the directories, proves that they are empty and marks them. The data directory comes
    /// first and names the others, which are marked before anything is put into them.
    ///
    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE, RESTORE_TABLESPACE
    void make() throws IOException {
        Path directory = plan.request().directory();
        RestoreFiles.baseDirectory(directory);
        Path data = directory.toRealPath();
        List<Path> tablespaces = new ArrayList<>();
        for (Tablespace tablespace : plan.tablespaces()) {
            RestoreFiles.baseDirectory(tablespace.to());
            Path real = tablespace.to().toRealPath();
            if (real.startsWith(data) || data.startsWith(real)) {
                throw new MainstayException(
                        ErrorCode.RESTORE_TABLESPACE,
                        "tablespace "
                                + tablespace.oid()
                                + " cannot go to "
                                + real
                                + ", which is the data directory "
                                + data
                                + ", in it or around it");
            }
            tablespaces.add(real);
        }
        MarkerText text = text(data, tablespaces);
        made.add(RestoreMarker.make(data, text));
        for (Path tablespace : tablespaces) {
            made.add(RestoreMarker.make(tablespace, text.in(tablespace, "")));
        }
    }

    /// The one thing that a server of the backup's version has in a tablespace.
    static String versionDirectory(RestorePlan plan) {
        int versionNum = plan.details().server().versionNum();
        return "PG_"
                + ServerVersion.ofServerVersionNum(versionNum).major()
                + "_"
                + plan.details().server().catalogVersion();
    }

    private MarkerText text(Path data, List<Path> tablespaces) {
        return new MarkerText(
                HexFormat.of().formatHex(ground.randomBytes(RANDOM_BYTES)),
                plan.backup().id().text(),
                data,
                "",
                versionDirectory(plan),
                tablespaces);
    }

    /// Whether anything may have been written.
    boolean isBegun() {
        return !made.isEmpty();
    }

    /// Durably for the data directory; the others' mean nothing without it.
    void delete() throws IOException {
        for (RestoreMarker marker : made) {
            marker.delete();
        }
    }

    @Override
    public void close() {
        RestoreFiles.attempt(
                "close the marks of " + plan.request().directory(),
                () -> {
                    for (RestoreMarker marker : made) {
                        marker.close();
                    }
                });
    }
}
