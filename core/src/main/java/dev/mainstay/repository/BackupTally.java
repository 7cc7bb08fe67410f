package dev.mainstay.repository;

import dev.mainstay.repository.format.Json;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/// What a backup did, counted by all its workers.
final class BackupTally {
    private final LongAdder readBytes = new LongAdder();
    private final LongAdder changedPages = new LongAdder();
    private final LongAdder storedPages = new LongAdder();
    private final LongAdder storedPageBytes = new LongAdder();
    private final LongAdder refreshedPages = new LongAdder();
    private final LongAdder debtPages = new LongAdder();
    private final LongAdder debtBytes = new LongAdder();
    private final LongAdder referredBytes = new LongAdder();
    private final LongAdder liveBytes = new LongAdder();
    private final LongAdder resumedBytes = new LongAdder();
    private final LongAdder files = new LongAdder();
    private final LongAdder bytes = new LongAdder();
    private final AtomicLong refreshBudget;

    BackupTally(long refreshBudgetPages) {
        refreshBudget = new AtomicLong(refreshBudgetPages);
    }

    void read(long more) {
        readBytes.add(more);
    }

    void changedPages(int more) {
        changedPages.add(more);
    }

    void storedPages(int pages, int frameBytes) {
        storedPages.add(pages);
        storedPageBytes.add(frameBytes);
    }

    /// Pages whose frames a backup that was begun had stored.
    void resumed(long more) {
        resumedBytes.add(more);
    }

    long resumed() {
        return resumedBytes.sum();
    }

    void file(long sizeBytes) {
        files.increment();
        bytes.add(sizeBytes);
    }

    /// A frame of pages that a restore of this backup fetches, and how much of it is live.
    void referredBytes(long stored, long live) {
        referredBytes.add(stored);
        liveBytes.add(live);
    }

    /// Takes pages from the refresh budget; what it does not cover becomes debt.
    ///
    /// @param storedBytes what these pages take as they are stored now
    boolean spendRefresh(int pages, long storedBytes) {
        if (refreshBudget.addAndGet(-pages) >= 0) {
            refreshedPages.add(pages);
            return true;
        }
        refreshBudget.addAndGet(pages);
        debtPages.add(pages);
        debtBytes.add(storedBytes);
        return false;
    }

    Json toJson(long packBytes) {
        return Json.object()
                .put("files", files.sum())
                .put("bytes", bytes.sum())
                .put("bytes-read", readBytes.sum())
                .put("bytes-stored", packBytes)
                .put("bytes-resumed", resumedBytes.sum())
                .put("pages-changed", changedPages.sum())
                .put("pages-stored", storedPages.sum())
                .put("page-bytes-stored", storedPageBytes.sum())
                .put("pages-refreshed", refreshedPages.sum())
                .put("page-bytes-referred", referredBytes.sum())
                .put("page-bytes-live", liveBytes.sum())
                .put("refresh-debt-pages", debtPages.sum())
                .put("refresh-debt-bytes", debtBytes.sum());
    }
}
