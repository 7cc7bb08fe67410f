package dev.mainstay.engine.backup;

import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.cluster.BackupSession;
import dev.mainstay.postgres.cluster.ServerVersion;
import dev.mainstay.postgres.protocol.BaseBackupRequest;
import dev.mainstay.postgres.protocol.BaseBackupStream;
import dev.mainstay.postgres.protocol.BaseBackupStream.Position;
import dev.mainstay.postgres.protocol.ServerException;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;

import java.time.Instant;
import java.util.Optional;

/// Begins a base backup of a server: of what changed since an earlier backup where the server can
/// tell and the log in the repository can confirm it, else of everything.
///
/// @param settings of the source
/// @param node the server, as it is read
/// @param server the same, as it is reached
/// @param proof shows that WAL arrives in the archive
record IncrementalStart(
        ProtectedSource source,
        PostgresSettings settings,
        Node node,
        StreamedServer server,
        Origin origin,
        WalArchive archive,
        ArchiveProof proof) {

    /// A base backup that is about to come.
    ///
    /// @param known what changed by the log; empty if every page comes
    /// @param changes for the record
    /// @param first segment of WAL that a restore needs
    /// @param time when it began
    record Begun(
            BaseBackupStream stream,
            Optional<KnownChanges> known,
            Optional<Changes> changes,
            WalSegment first,
            Instant time) {
        BackupSession.Start start() {
            Position start = stream.start();
            return new BackupSession.Start(start.lsn(), start.timeline(), first, time);
        }
    }

    /// Why the server is not even asked for changes; empty if it is.
    ///
    /// @param verifying whether what the log says is to be compared with every page
    Optional<String> everything(Basis.Parent parent, boolean verifying) {
        ServerVersion version = version();
        if (!version.walSummaries()) {
            return Optional.of(
                    "PostgreSQL "
                            + server.stream().serverMajorVersion()
                            + " sends every page over the replication protocol, 17 and later can"
                            + " send what changed");
        }
        if (verifying) {
            return Optional.of("what changed is to be verified");
        }
        if (!server.setting("summarize_wal").equals(Optional.of("on"))) {
            return Optional.of(
                    "summarize_wal is off in the server, which therefore sends every page");
        }
        return KnownChanges.everything(parent, settings.fullReadEvery());
    }

    private ServerVersion version() {
        return ServerVersion.ofMajor(server.stream().serverMajorVersion());
    }

    /// Returns when the archive is alive, and the next thing is the first file.
    ///
    /// @param everything why every page has to come
    Begun begin(
            BaseBackupRequest request, Optional<Basis.Parent> parent, Optional<String> everything) {
        if (parent.isEmpty()) {
            return whole(request, Optional.empty());
        }
        if (everything.isPresent()) {
            return whole(request, Optional.of(new Changes.Unknown(everything.get())));
        }
        try {
            return changes(request, parent.get());
        } catch (NotIncremental unfit) {
            server.reconnect();
            return whole(request, Optional.of(new Changes.Unknown(unfit.reason())));
        }
    }

    private Begun whole(BaseBackupRequest request, Optional<Changes> changes) {
        BaseBackupStream stream = server.stream().startBaseBackup(request);
        try {
            Instant time = begun(stream);
            return new Begun(stream, Optional.empty(), changes, first(stream), time);
        } catch (RuntimeException | Error failed) {
            stream.close();
            throw failed;
        }
    }

    private Begun changes(BaseBackupRequest request, Basis.Parent parent) {
        BaseBackupStream stream = ask(request, parent);
        try {
            Instant time = begun(stream);
            KnownChanges known = known(stream, parent, time);
            if (known.changes() instanceof Changes.Unknown(String reason)) {
                throw new NotIncremental(reason);
            }
            return new Begun(
                    stream, Optional.of(known), Optional.of(known.changes()), first(stream), time);
        } catch (RuntimeException | Error failed) {
            stream.close();
            throw failed;
        }
    }

    private BaseBackupStream ask(BaseBackupRequest request, Basis.Parent parent) {
        try {
            server.stream()
                    .uploadManifest(
                            out -> EarlierManifest.write(out, source, parent.backup(), version()));
            return server.stream()
                    .startBaseBackup(
                            new BaseBackupRequest(request.label(), request.maxRate(), true));
        } catch (ServerException refused) {
            if (!refused.error().severity().equals("ERROR")) {
                throw refused;
            }
            throw new NotIncremental(
                    "the server does not send only what changed: " + refused.error());
        }
    }

    private Instant begun(BaseBackupStream stream) {
        Instant time = node.time(server.session().serverTime());
        proof.segmentArrives();
        node.begins(origin, first(stream), archive);
        return time;
    }

    private WalSegment first(BaseBackupStream stream) {
        return WalSegment.containing(
                stream.start().timeline(), stream.start().lsn(), origin.layout().walSegmentSize());
    }

    /// What the log in the repository says, up to where this backup begins.
    private KnownChanges known(BaseBackupStream stream, Basis.Parent parent, Instant time) {
        Position start = stream.start();
        WalSegment last = first(stream);
        if (start.lsn().minus(last.start()) > WalLayout.LONG_HEADER_BYTES) {
            proof.segmentEnds(last);
        }
        return KnownChanges.find(
                parent,
                BackupDetails.read(parent.backup().details()).startLsn(),
                ChangeSearch.ofServer(
                        archive, origin.layout().walSegmentSize(), origin.layout().walBlockSize()),
                new BackupSession.Start(start.lsn(), start.timeline(), last, time),
                settings.fullReadEvery());
    }
}
