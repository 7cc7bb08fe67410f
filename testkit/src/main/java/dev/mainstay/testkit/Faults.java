package dev.mainstay.testkit;

/// How often a [FaultyStore] fails, and how. Probabilities from 0 to 1 for each call.
///
/// @param errorBefore STORE_UNAVAILABLE, and nothing happened (any operation)
/// @param errorAfter STORE_UNAVAILABLE, but it happened (put, delete)
/// @param tornPut STORE_UNAVAILABLE, and a truncated object is visible: a store that breaks the
///   promise of atomic puts
/// @param lostPut answers CREATED, but a crash of the host will take the object: a store that lies
///   about durability
/// @param bitFlip one bit of what is read is wrong; what is stored is not
/// @param staleList a listing lacks the latest puts
/// @param refusedDelete REFUSED, and the object stays
/// @param capacityBytes after so many bytes puts fail with STORE_FULL
public record Faults(
        double errorBefore,
        double errorAfter,
        double tornPut,
        double lostPut,
        double bitFlip,
        double staleList,
        double refusedDelete,
        long capacityBytes) {
    public static final Faults NONE = new Faults(0, 0, 0, 0, 0, 0, 0, Long.MAX_VALUE);

    public Faults withErrorBefore(double p) {
        return new Faults(
                p, errorAfter, tornPut, lostPut, bitFlip, staleList, refusedDelete, capacityBytes);
    }

    public Faults withErrorAfter(double p) {
        return new Faults(
                errorBefore, p, tornPut, lostPut, bitFlip, staleList, refusedDelete, capacityBytes);
    }

    public Faults withTornPut(double p) {
        return new Faults(
                errorBefore,
                errorAfter,
                p,
                lostPut,
                bitFlip,
                staleList,
                refusedDelete,
                capacityBytes);
    }

    public Faults withLostPut(double p) {
        return new Faults(
                errorBefore,
                errorAfter,
                tornPut,
                p,
                bitFlip,
                staleList,
                refusedDelete,
                capacityBytes);
    }

    public Faults withBitFlip(double p) {
        return new Faults(
                errorBefore,
                errorAfter,
                tornPut,
                lostPut,
                p,
                staleList,
                refusedDelete,
                capacityBytes);
    }

    public Faults withStaleList(double p) {
        return new Faults(
                errorBefore,
                errorAfter,
                tornPut,
                lostPut,
                bitFlip,
                p,
                refusedDelete,
                capacityBytes);
    }

    public Faults withRefusedDelete(double p) {
        return new Faults(
                errorBefore, errorAfter, tornPut, lostPut, bitFlip, staleList, p, capacityBytes);
    }

    public Faults withCapacityBytes(long bytes) {
        return new Faults(
                errorBefore,
                errorAfter,
                tornPut,
                lostPut,
                bitFlip,
                staleList,
                refusedDelete,
                bytes);
    }
}
