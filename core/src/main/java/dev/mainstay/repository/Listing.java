package dev.mainstay.repository;

import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// Reads listings to their end.
public final class Listing {
    private static final int PAGE = 1000;

    private Listing() {}

    public static void forEach(ObjectStore store, String prefix, Consumer<StoredObject> each) {
        forEachAfter(store, prefix, "", each);
    }

    static void forEachAfter(
            ObjectStore store, String prefix, String after, Consumer<StoredObject> each) {
        String from = after;
        while (true) {
            ListPage page = store.list(prefix, from, PAGE);
            page.objects().forEach(each);
            if (page.last() || page.objects().isEmpty()) {
                return;
            }
            from = page.next();
        }
    }

    /// Until the taker has seen enough.
    static void whileAfter(
            ObjectStore store, String prefix, String after, Predicate<StoredObject> goesOn) {
        String from = after;
        while (true) {
            ListPage page = store.list(prefix, from, PAGE);
            if (!page.objects().stream().allMatch(goesOn)
                    || page.last()
                    || page.objects().isEmpty()) {
                return;
            }
            from = page.next();
        }
    }

    static List<StoredObject> all(ObjectStore store, String prefix) {
        List<StoredObject> objects = new ArrayList<>();
        forEach(store, prefix, objects::add);
        return objects;
    }
}
