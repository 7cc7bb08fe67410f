package dev.mainstay.storage;

import java.util.List;

/// A page of a listing, in the order of names.
///
/// @param last whether no further object follows
public record ListPage(List<StoredObject> objects, boolean last) {
    public ListPage {
        objects = List.copyOf(objects);
    }
}
