package dev.mainstay.engine.archive;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.ReplicationConnection;
import dev.mainstay.postgres.protocol.SystemIdentity;
import dev.mainstay.repository.ProtectedSource;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;

/// Streams a server's WAL into a synced local spool and from there into the repository, until it is
/// interrupted.
///
/// What is reported to the server is *spooled*, so that this receiver can be named in
/// `synchronous_standby_names` as `mainstay_SOURCE`; what the slot lets the server remove is
/// *stored*, so that losing the spool's disk loses nothing the server could not send again. A new
/// process begins at the start of the segment that the slot's position lies in, or where the
/// archive ends if that is earlier: what is there already is compared, not trusted.
public final class WalReceiver {
    /// So long a call to the server may last after a stop before it is broken off.
    private static final Duration POLITE = Duration.ofSeconds(5);

    private final Reception.Terms terms;
    private final StopSignal stop = new StopSignal();
    private final ServerLink link;
    private final SlotKeeper slot;

    /// @param firstPause before trying again after a failure; longer after each further one
    /// @param observer is told where the receiver stands, at least every status interval
    public WalReceiver(
            ProtectedSource source,
            ConnectionSpec connection,
            ReceiverSettings settings,
            int compressionLevel,
            Progress progress,
            Duration firstPause,
            Consumer<ReceiverStatus> observer) {
        this.terms =
                new Reception.Terms(
                        source, settings, compressionLevel, progress, firstPause, observer);
        ConnectionSpec named = connection.withApplicationName(settings.slot());
        this.link = new ServerLink(named, source.repository().ground().clock(), stop);
        this.slot = new SlotKeeper(named, settings.slot());
    }

    /// What to do, in words, where nobody receives.
    public static String howToStart(String source) {
        return "start: mainstay wal receive "
                + source
                + ", or mainstay server, which does so for all sources";
    }

    /// Receives until the thread is interrupted; what was received is synced when it returns, and
    /// stored as far as some seconds allow.
    ///
    /// @throws MainstayException where going on would harm: another system, other WAL than before,
    ///   another receiver, an unusable spool
    public void run() {
        // On a thread of its own: an interrupt would close the spool's file under a write.
        FutureTask<Boolean> work = new FutureTask<>(this::receive, true);
        Thread worker = Thread.ofPlatform().name("wal-receiver").start(work);
        boolean interrupted = false;
        while (worker.isAlive()) {
            try {
                if (!interrupted) {
                    worker.join();
                } else if (!worker.join(POLITE)) {
                    hangUp();
                }
            } catch (InterruptedException _) {
                interrupted = true;
                stop.raise();
            }
        }
        try {
            work.get();
        } catch (InterruptedException ended) {
            throw new IllegalStateException(ended);
        } catch (ExecutionException failed) {
            switch (failed.getCause()) {
                case RuntimeException known -> throw known;
                case Error error -> throw error;
                case null, default -> throw new IllegalStateException(failed);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void hangUp() {
        link.hangUp();
        slot.hangUp();
    }

    private void receive() {
        SystemIdentity identity;
        int segmentSizeBytes;
        try (ReplicationConnection server = link.open()) {
            identity = server.identifySystem();
            segmentSizeBytes = (int) ByteSize.parse(server.show("wal_segment_size")).bytes();
        } catch (MainstayException away) {
            if (away.code() == ErrorCode.SERVER_UNREACHABLE) {
                drain(away);
            }
            throw away;
        }
        refuseOtherSystem(identity);
        try (Spool spool =
                        Spool.open(
                                terms.settings().spool().resolve(identity.systemId().toString()),
                                segmentSizeBytes);
                Reception reception = new Reception(terms, identity, spool, link, slot, stop)) {
            reception.run();
        }
    }

    private void drain(MainstayException away) {
        try {
            new SpoolDrain(terms.source(), terms.compressionLevel(), terms.progress(), stop)
                    .run(terms.settings().spool());
        } catch (MainstayException notStored) {
            terms.progress()
                    .note(
                            "WARNING: "
                                    + notStored.code().id()
                                    + ": what waits in the spool was not stored: "
                                    + notStored.getMessage());
            away.addSuppressed(notStored);
        }
    }

    /// A source follows one cluster; another system identifier behind the same url is a mistake
    /// until somebody says otherwise.
    private void refuseOtherSystem(SystemIdentity identity) {
        ProtectedSource source = terms.source();
        String system = identity.systemId().toString();
        var chain = source.records();
        chain.damaged().forEach(each -> terms.progress().note("WARNING: " + each));
        if (!chain.damagedBackups().isEmpty()) {
            return; // one of them may be the newest, and of this very system
        }
        chain.backups().reversed().stream()
                .findFirst()
                .map(newest -> newest.details().string("systemId"))
                .filter(known -> !known.equals(system))
                .ifPresent(
                        known -> {
                            throw new MainstayException(
                                    ErrorCode.WAL_CONFLICT,
                                    "the server is system "
                                            + system
                                            + ", but source "
                                            + source.name()
                                            + " was last backed up from system "
                                            + known,
                                    "correct the url, or take a full backup of the new cluster"
                                            + " first",
                                    null);
                        });
    }
}
