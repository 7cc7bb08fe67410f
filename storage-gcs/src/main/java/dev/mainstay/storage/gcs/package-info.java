/// Repositories in Google Cloud Storage, by Google's client of its JSON interface.
@NullMarked
package dev.mainstay.storage.gcs;

import org.jspecify.annotations.NullMarked;
