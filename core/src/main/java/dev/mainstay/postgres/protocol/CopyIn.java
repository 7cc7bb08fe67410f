package dev.mainstay.postgres.protocol;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;

/// What is written goes to a server that waits for a copy, in messages of some size.
final class CopyIn extends OutputStream {
    private static final int MESSAGE = 1 << 16;

    private final Outbox outbox;
    private final byte[] waiting = new byte[MESSAGE];
    private int count;

    CopyIn(Outbox outbox) {
        this.outbox = outbox;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        for (int done = 0; done < length; ) {
            int more = Math.min(length - done, MESSAGE - count);
            System.arraycopy(bytes, offset + done, waiting, count, more);
            count += more;
            done += more;
            if (count == MESSAGE) {
                send();
            }
        }
    }

    private void send() throws IOException {
        if (count > 0) {
            outbox.send('d', Arrays.copyOf(waiting, count));
            count = 0;
        }
    }

    /// Sends what waits. That nothing more comes the server is told by another message.
    @Override
    public void close() throws IOException {
        send();
    }
}
