package dev.mainstay.repository;

import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.WireReader;
import dev.mainstay.repository.format.WireWriter;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;

/// An entry of an audit trail, chained to the one before (docs/format.md section 14).
///
/// @param trail its id, 32 hex digits
/// @param number from 1, without gaps
/// @param previous hash of the entry before, or [#NONE]
public record AuditEntry(String trail, long number, String previous, AuditFacts facts) {
    /// What the first entry follows.
    public static final String NONE = "0".repeat(64);

    private static final byte[] DOMAIN =
            "mainstay/1 audit entry".getBytes(StandardCharsets.US_ASCII);
    private static final int HASH = 32;

    /// The one behind this.
    public AuditEntry next(AuditFacts following) {
        return new AuditEntry(trail, number + 1, hash(), following);
    }

    /// SHA-256 over the trail and everything that the entry says, as 64 hex digits.
    public String hash() {
        MessageDigest digest = Bytes.sha256();
        digest.update(DOMAIN);
        digest.update(HexFormat.of().parseHex(trail));
        digest.update(toBytes());
        return HexFormat.of().formatHex(digest.digest());
    }

    /// The one encoding that it has.
    byte[] toBytes() {
        return new WireWriter()
                .u64(number)
                .raw(HexFormat.of().parseHex(previous))
                .u64(facts.at().toEpochMilli())
                .string(facts.server())
                .string(facts.who())
                .string(facts.address())
                .string(facts.action())
                .string(facts.target())
                .string(facts.outcome())
                .varint(facts.times())
                .toBytes();
    }

    /// @throws MainstayException OBJECT_DAMAGED
    static AuditEntry read(String trail, WireReader in) {
        long number = in.u64();
        String previous = HexFormat.of().formatHex(in.raw(HASH));
        Instant at = Instant.ofEpochMilli(in.u64());
        AuditFacts facts =
                new AuditFacts(
                        at,
                        in.string(),
                        in.string(),
                        in.string(),
                        in.string(),
                        in.string(),
                        in.string(),
                        in.varint());
        return new AuditEntry(trail, number, previous, facts);
    }
}
