package dev.mainstay.postgres.protocol;

import jdk.net.ExtendedSocketOptions;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/// A TCP or Unix-domain socket. The channel does not block; who has to wait does so in a selector,
/// which unlike a blocking socket knows deadlines and interrupts for both families.
final class PlainTransport implements Transport {
    private final SocketChannel channel;
    private final Selector readable;
    private final Selector writable;

    private PlainTransport(SocketChannel channel, Selector readable, Selector writable) {
        this.channel = channel;
        this.readable = readable;
        this.writable = writable;
    }

    /// @param from local address of TCP connections; empty leaves it to the system
    static PlainTransport connect(SocketAddress address, Optional<String> from, Deadline deadline)
            throws IOException {
        SocketChannel channel =
                address instanceof UnixDomainSocketAddress
                        ? SocketChannel.open(java.net.StandardProtocolFamily.UNIX)
                        : SocketChannel.open();
        Selector readable = null;
        Selector writable = null;
        boolean done = false;
        try {
            readable = Selector.open();
            writable = Selector.open();
            // A connect to a Unix socket does not wait for the network.
            channel.configureBlocking(address instanceof UnixDomainSocketAddress);
            if (from.isPresent() && !(address instanceof UnixDomainSocketAddress)) {
                channel.bind(new InetSocketAddress(InetAddress.ofLiteral(from.get()), 0));
            }
            boolean connected = channel.connect(address);
            channel.configureBlocking(false);
            SelectionKey key = channel.register(writable, SelectionKey.OP_CONNECT);
            while (!connected) {
                if (!await(writable, deadline)) {
                    throw new SocketTimeoutException("no answer before the connect timeout");
                }
                connected = channel.finishConnect();
            }
            key.interestOps(SelectionKey.OP_WRITE);
            channel.register(readable, SelectionKey.OP_READ);
            if (!(address instanceof UnixDomainSocketAddress)) {
                tune(channel);
            }
            done = true;
            return new PlainTransport(channel, readable, writable);
        } finally {
            if (!done) {
                channel.close();
                closeIfOpen(readable);
                closeIfOpen(writable);
            }
        }
    }

    private static void closeIfOpen(@org.jspecify.annotations.Nullable Selector selector)
            throws IOException {
        if (selector != null) {
            selector.close();
        }
    }

    private static void tune(SocketChannel channel) throws IOException {
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        setIfKnown(channel, ExtendedSocketOptions.TCP_KEEPIDLE, 30);
        setIfKnown(channel, ExtendedSocketOptions.TCP_KEEPINTERVAL, 10);
        setIfKnown(channel, ExtendedSocketOptions.TCP_KEEPCOUNT, 3);
    }

    private static void setIfKnown(SocketChannel channel, SocketOption<Integer> option, int value)
            throws IOException {
        if (channel.supportedOptions().contains(option)) {
            channel.setOption(option, value);
        }
    }

    /// True when something may have happened, false when the deadline passed.
    private static boolean await(Selector selector, Deadline deadline) throws IOException {
        long nanos = deadline.remainingNanos();
        if (nanos <= 0) {
            return false;
        }
        try {
            selector.select(Math.max(1, nanos / 1_000_000));
            selector.selectedKeys().clear();
        } catch (ClosedSelectorException closed) {
            AsynchronousCloseException ended = new AsynchronousCloseException();
            ended.initCause(closed);
            throw ended;
        }
        return true;
    }

    private static void refuseInterrupted() throws InterruptedIOException {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted");
        }
    }

    @Override
    public int read(ByteBuffer into, Deadline deadline) throws IOException {
        while (true) {
            refuseInterrupted();
            int count = channel.read(into);
            if (count != 0) {
                return count;
            }
            if (!await(readable, deadline)) {
                return 0;
            }
        }
    }

    @Override
    public void write(ByteBuffer from, Deadline deadline) throws IOException {
        while (from.hasRemaining()) {
            refuseInterrupted();
            if (channel.write(from) == 0 && !await(writable, deadline)) {
                throw new SocketTimeoutException("the server takes no data");
            }
        }
    }

    @Override
    public byte[] channelBinding() {
        return new byte[0];
    }

    @Override
    public boolean encrypted() {
        return false;
    }

    boolean open() {
        return channel.isOpen();
    }

    @Override
    public void close() {
        try (channel;
                readable;
                writable) {
            // closing the selectors wakes whoever waits
        } catch (IOException _) {
            // nothing is lost: what matters was answered before
        }
    }
}
