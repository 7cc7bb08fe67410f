package dev.mainstay.cli;

import dev.mainstay.engine.Progress;

import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

import org.jspecify.annotations.Nullable;

import java.io.PrintStream;

/// A bar with rate and time left.
final class BarProgress implements Progress {
    private static final int UPDATE_MILLIS = 250;

    private final PrintStream out;
    private final int columns;
    private volatile @Nullable ProgressBar bar;

    BarProgress(PrintStream out, int columns) {
        this.out = out;
        this.columns = columns;
    }

    @Override
    public synchronized void begin(String what, long totalBytes) {
        end();
        bar =
                new ProgressBarBuilder()
                        .setTaskName(what)
                        .setInitialMax(totalBytes > 0 ? totalBytes : -1)
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUnit(" MiB", 1 << 20)
                        .showSpeed()
                        .setUpdateIntervalMillis(UPDATE_MILLIS)
                        .setConsumer(new ConsoleProgressBarConsumer(out, columns))
                        .build();
    }

    @Override
    public void advance(long bytes) {
        ProgressBar current = bar;
        if (current != null) {
            current.stepBy(bytes);
        }
    }

    /// On a line of its own; the bar is drawn again below it.
    @Override
    public synchronized void note(String line) {
        out.println("\r\u001b[K" + line);
    }

    @Override
    public synchronized void end() {
        ProgressBar current = bar;
        bar = null;
        if (current != null) {
            current.close();
        }
    }
}
