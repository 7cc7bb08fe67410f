package dev.mainstay.engine.config;

import org.jspecify.annotations.Nullable;

import java.util.function.Function;
import java.util.function.Supplier;

/// What follows from a configuration, or a part of one: computed anew when that is another one.
public final class Followed<F, V> implements Supplier<V> {
    private record Computed<F, V>(F from, V value) {}

    private final Supplier<F> followed;
    private final Function<F, V> of;
    private volatile @Nullable Computed<F, V> last;

    public Followed(Supplier<F> followed, Function<F, V> of) {
        this.followed = followed;
        this.of = of;
    }

    @Override
    public V get() {
        F now = followed.get();
        Computed<F, V> known = last;
        if (known == null || !known.from.equals(now)) {
            known = new Computed<>(now, of.apply(now));
            last = known;
        }
        return known.value;
    }
}
