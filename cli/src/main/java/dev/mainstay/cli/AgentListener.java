package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import jdk.net.ExtendedSocketOptions;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The socket of an agent. One request a connection ([AgentRequest]); the answer is text: empty
/// lines while it is being worked on, then what is printed, each line with `1 ` (standard output)
/// or `2 ` (standard error) before it, and at last `= CODE`. A connection that ends without that
/// line was not answered, and its client does without the agent.
///
/// Only clients of this process's own user are heard; the kernel says who they are.
final class AgentListener implements AutoCloseable {
    private static final int MAX_CLIENTS = 64;
    private static final int REQUEST_SECONDS = 10;

    /// Several of them within the 20 s after which a client gives up.
    private static final int BEAT_SECONDS = 4;

    private static final int CLOSE_SECONDS = 10;

    private final AgentPlace place;
    private final AgentDesk desk;
    private final Consumer<String> notes;
    private final FileChannel lock;
    private final UserPrincipal user;
    private final ServerSocketChannel server;
    private final ScheduledExecutorService clock =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("agent-clock").factory());
    private final Set<SocketChannel> clients = ConcurrentHashMap.newKeySet();
    private volatile boolean closing;

    private AgentListener(
            AgentPlace place, AgentDesk desk, Consumer<String> notes, FileChannel lock)
            throws IOException {
        this.place = place;
        this.desk = desk;
        this.notes = notes;
        this.lock = lock;
        this.user = Files.getOwner(place.folder());
        this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    }

    /// Listens, once a client that was started as the launcher does it got its answer.
    ///
    /// @return empty if another process of this user listens here
    /// @throws MainstayException WAL_AGENT_PLACE or WAL_AGENT_CLIENT where there can be none
    static Optional<AgentListener> open(AgentPlace place, AgentDesk desk, Consumer<String> notes) {
        place.prepare();
        try {
            FileChannel lock =
                    FileChannel.open(
                            place.lock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (!isMine(lock)) {
                lock.close();
                return Optional.empty();
            }
            AgentListener listener = new AgentListener(place, desk, notes, lock);
            try {
                listener.listen();
                return Optional.of(listener);
            } catch (IOException | RuntimeException failed) {
                listener.close();
                throw failed;
            }
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.WAL_AGENT_PLACE,
                    "the agent cannot listen in " + place.folder() + ": " + failed,
                    failed);
        }
    }

    private static boolean isMine(FileChannel lock) throws IOException {
        try {
            return lock.tryLock() != null;
        } catch (OverlappingFileLockException another) {
            return false; // in this very process
        }
    }

    private void listen() throws IOException {
        Path rehearsal = place.folder().resolve("socket.new");
        Files.deleteIfExists(place.socket()); // of one that was killed
        Files.deleteIfExists(rehearsal);
        server.bind(UnixDomainSocketAddress.of(rehearsal), MAX_CLIENTS);
        Files.setPosixFilePermissions(rehearsal, PosixFilePermissions.fromString("rw-------"));
        Thread.ofPlatform().daemon().name("agent-accept").start(this::accept);
        AgentRehearsal.run(place, rehearsal);
        Files.move(rehearsal, place.socket(), StandardCopyOption.ATOMIC_MOVE);
    }

    private void accept() {
        while (!closing) {
            try {
                admit(server.accept());
            } catch (ClosedChannelException ended) {
                return;
            } catch (IOException | RuntimeException failed) {
                notes.accept("WARNING: the agent could not take a call: " + failed);
            }
        }
    }

    private void admit(SocketChannel client) throws IOException {
        clients.add(client);
        boolean served = false;
        try {
            if (clients.size() <= MAX_CLIENTS && isOwn(client)) {
                Thread.ofPlatform().daemon().name("agent").start(() -> serve(client));
                served = true;
            }
        } finally {
            if (!served) {
                end(client);
            }
        }
    }

    private boolean isOwn(SocketChannel client) throws IOException {
        boolean own = client.getOption(ExtendedSocketOptions.SO_PEERCRED).user().equals(user);
        if (!own) {
            notes.accept("WARNING: another user was refused");
        }
        return own;
    }

    private void end(SocketChannel client) {
        clients.remove(client);
        try {
            client.close();
        } catch (IOException gone) {
            // it is gone
        }
    }

    private void serve(SocketChannel client) {
        ScheduledFuture<?> patience =
                clock.schedule(() -> end(client), REQUEST_SECONDS, TimeUnit.SECONDS);
        try {
            AgentRequest request = AgentRequest.read(client);
            patience.cancel(false);
            Optional<String> nonce = AgentRehearsal.nonce(request);
            if (nonce.isPresent()) {
                write(client, "= " + nonce.get() + "\n");
            } else {
                answer(client, request);
            }
        } catch (IOException | RuntimeException | Error failed) {
            // Unanswered; whoever asked goes another way.
            notes.accept("WARNING: the agent left a call unanswered: " + failed);
        } finally {
            patience.cancel(false);
            end(client);
        }
    }

    private void answer(SocketChannel client, AgentRequest request) throws IOException {
        ScheduledFuture<?> beat =
                clock.scheduleAtFixedRate(
                        () -> beat(client), BEAT_SECONDS, BEAT_SECONDS, TimeUnit.SECONDS);
        boolean told = false;
        try {
            Optional<AgentDesk.Answer> answer = desk.answer(request);
            if (answer.isPresent()) {
                write(client, text(answer.get()));
                told = true;
            }
        } finally {
            beat.cancel(false);
            if (!told) {
                desk.unanswered(request);
            }
        }
    }

    private static void beat(SocketChannel client) {
        try {
            write(client, "\n");
        } catch (IOException gone) {
            // seen again when it is answered
        }
    }

    private static String text(AgentDesk.Answer answer) {
        StringBuilder text = new StringBuilder();
        answer.out().lines().forEach(line -> text.append("1 ").append(line).append('\n'));
        answer.err().lines().forEach(line -> text.append("2 ").append(line).append('\n'));
        return text.append("= ").append(answer.exit()).append('\n').toString();
    }

    private static void write(SocketChannel client, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        synchronized (client) { // a beat never stands inside an answer
            while (bytes.hasRemaining()) {
                client.write(bytes);
            }
        }
    }

    /// Takes no more calls, and lets those end that are being worked on, but not for ever.
    @Override
    public void close() {
        closing = true;
        try {
            if (server.getLocalAddress() != null) {
                Files.deleteIfExists(place.socket());
                Files.deleteIfExists(place.folder().resolve("socket.new"));
            }
            server.close();
            awaitClients();
            clients.forEach(this::end);
            lock.close();
        } catch (IOException failed) {
            notes.accept("WARNING: the agent did not end well: " + failed);
        } finally {
            clock.shutdownNow();
        }
    }

    private void awaitClients() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(CLOSE_SECONDS);
        boolean interrupted = Thread.interrupted();
        while (!clients.isEmpty() && System.nanoTime() - deadline < 0) {
            try {
                TimeUnit.MILLISECONDS.sleep(20);
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
