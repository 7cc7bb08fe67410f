package dev.mainstay.engine.backup;

import java.util.Optional;

/// The pages of one part of a [PageRelay], one after the other. For one thread.
final class ArrivingPages implements AutoCloseable {
    private final PageRelay relay;
    private final PageRelay.Part part;
    private final int blockSize;
    private Optional<PageRelay.Run> run = Optional.empty();
    private int taken;

    ArrivingPages(PageRelay relay, PageRelay.Part part, int blockSizeBytes) {
        this.relay = relay;
        this.part = part;
        this.blockSize = blockSizeBytes;
    }

    /// Waits for pages.
    ///
    /// @param at how many pages from the beginning of `into` on they go
    /// @return how many; fewer than wanted only where the part ends
    int take(byte[] into, int at, int wanted) {
        int got = 0;
        while (got < wanted && fill()) {
            PageRelay.Run from = run.orElseThrow();
            int count = Math.min(wanted - got, from.pages() - taken);
            System.arraycopy(
                    from.bytes(),
                    taken * blockSize,
                    into,
                    (at + got) * blockSize,
                    count * blockSize);
            taken += count;
            got += count;
        }
        return got;
    }

    /// Waits until it is known.
    boolean isAtEnd() {
        return !fill();
    }

    private boolean fill() {
        while (run.isEmpty() || taken == run.get().pages()) {
            run.ifPresent(done -> relay.giveBack(done.bytes()));
            taken = 0;
            run = part.next();
            if (run.isEmpty()) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() {
        run.ifPresent(done -> relay.giveBack(done.bytes()));
    }
}
