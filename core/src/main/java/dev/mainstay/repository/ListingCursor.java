package dev.mainstay.repository;

import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.Deque;

/// Walks a listing beside somebody who asks for names in their order.
final class ListingCursor {
    private static final int PAGE = 1000;

    private final ObjectStore store;
    private final String prefix;
    private final Deque<StoredObject> page = new ArrayDeque<>();
    private String next = "";
    private boolean ended;

    ListingCursor(ObjectStore store, String prefix) {
        this.store = store;
        this.prefix = prefix;
    }

    /// The object of this name, if there is one.
    ///
    /// @param name not before any that was asked for earlier
    @Nullable StoredObject at(String name) {
        while (true) {
            while (!page.isEmpty() && page.getFirst().name().compareTo(name) < 0) {
                page.removeFirst();
            }
            if (!page.isEmpty()) {
                return page.getFirst().name().equals(name) ? page.getFirst() : null;
            }
            if (ended) {
                return null;
            }
            ListPage read = store.list(prefix, next, PAGE);
            page.addAll(read.objects());
            ended = read.last() || read.objects().isEmpty();
            next = read.next();
        }
    }
}
