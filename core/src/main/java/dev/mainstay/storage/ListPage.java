package dev.mainstay.storage;

import java.util.List;

/// A page of a listing, in the order of names.
///
/// @param last whether no further object follows
/// @param next what [ObjectStore#list] takes for `after` to read on behind this page: the last
///   name, or what the store that made the page understands better. Good for reading on at once, by
///   the same store and with the same prefix; a listing of its own begins with a name
public record ListPage(List<StoredObject> objects, boolean last, String next) {
    public ListPage {
        objects = List.copyOf(objects);
    }

    /// After which its last name tells how to read on.
    public ListPage(List<StoredObject> objects, boolean last) {
        this(objects, last, objects.isEmpty() ? "" : objects.getLast().name());
    }
}
