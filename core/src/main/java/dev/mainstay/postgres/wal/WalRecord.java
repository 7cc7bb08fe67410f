package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

import java.util.Arrays;
import java.util.Optional;

/// One WAL record, with CRC and structure checked. It is a view of the reader's memory and valid
/// only until the reader's next call: take out what must be kept.
///
/// Layout (src/include/access/xlogrecord.h): a header of 24 bytes — u32 total length, u32 xid, u64
/// previous record, u8 info, u8 resource manager, u32 CRC-32C at 20 —, then the headers of the
/// block references and of the main data, then the images and data of the blocks in the same order,
/// then the main data. Numbers of transactions, blocks and OIDs are unsigned 32 bits.
public final class WalRecord implements WalStep {
    static final int HEADER_BYTES = 24;

    /// The largest record the server writes from 16 on is 1020 MiB; before, palloc's limit.
    static final long MAX_BYTES = 0x3fff_ffffL;

    private static final int MAX_BLOCK_ID = 32;
    private static final int SHORT_DATA = 255;
    private static final int LONG_DATA = 254;
    private static final int ORIGIN = 253;
    private static final int TOP_LEVEL_XID = 252;
    private static final int HAS_IMAGE = 0x10;
    private static final int HAS_DATA = 0x20;
    private static final int WILL_INIT = 0x40;
    private static final int SAME_RELATION = 0x80;

    private final int[] ids = new int[MAX_BLOCK_ID + 1];
    private final int[] flags = new int[MAX_BLOCK_ID + 1];
    private final int[] tablespaces = new int[MAX_BLOCK_ID + 1];
    private final int[] databases = new int[MAX_BLOCK_ID + 1];
    private final int[] numbers = new int[MAX_BLOCK_ID + 1];
    private final int[] blocks = new int[MAX_BLOCK_ID + 1];
    private final int[] dataLengths = new int[MAX_BLOCK_ID + 1];
    private final int[] dataOffsets = new int[MAX_BLOCK_ID + 1];
    private final int[] imageLengths = new int[MAX_BLOCK_ID + 1];
    private final int[] imageOffsets = new int[MAX_BLOCK_ID + 1];
    private final int[] imageFlags = new int[MAX_BLOCK_ID + 1];
    private final int[] holeOffsets = new int[MAX_BLOCK_ID + 1];
    private final int[] holeLengths = new int[MAX_BLOCK_ID + 1];

    private byte[] bytes = new byte[0];
    private int base;
    private int totalBytes;
    private long begin;
    private long end;
    private WalFormat format = WalFormat.PG14;
    private int blockCount;
    private int mainOffset;
    private int mainLength;
    private int origin;
    private int topLevelXid;
    private int cursor;
    private int headersLeft;

    WalRecord() {}

    /// Points this view at a record whose header and CRC were checked, and takes it apart.
    ///
    /// @return what is wrong with its structure, or an empty text
    String decode(WalFormat newFormat, byte[] memory, int offset, int length, long lsn, long next) {
        format = newFormat;
        bytes = memory;
        base = offset;
        totalBytes = length;
        begin = lsn;
        end = next;
        blockCount = 0;
        mainLength = 0;
        mainOffset = offset + length;
        origin = 0;
        topLevelXid = 0;
        cursor = offset + HEADER_BYTES;
        headersLeft = length - HEADER_BYTES;
        return decodeParts();
    }

    private String decodeParts() {
        long dataBytes = 0;
        boolean main = false;
        while (headersLeft > dataBytes && !main) {
            int id = bytes[take(1)] & 0xff;
            if (id == SHORT_DATA || id == LONG_DATA) {
                int width = id == SHORT_DATA ? 1 : 4;
                if (headersLeft < width) {
                    return "the header of its data is cut";
                }
                int at = take(width);
                long length = width == 1 ? bytes[at] & 0xff : Bytes.u32(bytes, at);
                if (length > totalBytes) {
                    return "its data is longer than itself";
                }
                mainLength = (int) length;
                dataBytes += length;
                main = true;
            } else if (id == ORIGIN && headersLeft >= 2) {
                origin = Bytes.u16(bytes, take(2));
            } else if (id == TOP_LEVEL_XID && headersLeft >= 4) {
                topLevelXid = Bytes.i32(bytes, take(4));
            } else if (id <= MAX_BLOCK_ID) {
                String wrong = decodeBlock(id);
                if (!wrong.isEmpty()) {
                    return wrong;
                }
                dataBytes += dataLengths[blockCount - 1] + (long) imageLengths[blockCount - 1];
            } else {
                return "it has a part of the unknown kind " + id;
            }
        }
        if (headersLeft != dataBytes) {
            return "the lengths of its parts do not add up";
        }
        locateData();
        return "";
    }

    private int take(int count) {
        int at = cursor;
        cursor += count;
        headersLeft -= count;
        return at;
    }

    private String decodeBlock(int id) {
        int i = blockCount;
        if (i > 0 && id <= ids[i - 1]) {
            return "its block references are out of order";
        }
        if (headersLeft < 3) {
            return "a block reference is cut";
        }
        ids[i] = id;
        int flag = bytes[take(1)] & 0xff;
        flags[i] = flag;
        dataLengths[i] = Bytes.u16(bytes, take(2));
        if ((flag & HAS_DATA) == 0 != (dataLengths[i] == 0)) {
            return "a block reference contradicts itself about its data";
        }
        if ((flag & 0x0f) > Fork.INIT.number()) {
            return "a block reference names the unknown fork " + (flag & 0x0f);
        }
        imageLengths[i] = 0;
        imageFlags[i] = 0;
        holeOffsets[i] = 0;
        holeLengths[i] = 0;
        if ((flag & HAS_IMAGE) != 0 && !decodeImage(i)) {
            return "the header of a page image is invalid";
        }
        int rest = (flag & SAME_RELATION) == 0 ? 16 : 4;
        if (headersLeft < rest || (rest == 4 && i == 0)) {
            return "a block reference names no relation";
        }
        int at = take(rest);
        if (rest == 16) {
            tablespaces[i] = Bytes.i32(bytes, at);
            databases[i] = Bytes.i32(bytes, at + 4);
            numbers[i] = Bytes.i32(bytes, at + 8);
        } else {
            tablespaces[i] = tablespaces[i - 1];
            databases[i] = databases[i - 1];
            numbers[i] = numbers[i - 1];
        }
        blocks[i] = Bytes.i32(bytes, at + rest - 4);
        blockCount++;
        return "";
    }

    private boolean decodeImage(int i) {
        if (headersLeft < 5) {
            return false;
        }
        imageLengths[i] = Bytes.u16(bytes, take(2));
        holeOffsets[i] = Bytes.u16(bytes, take(2));
        imageFlags[i] = bytes[take(1)] & 0xff;
        boolean hole = (imageFlags[i] & 1) != 0;
        if (isCompressed(i) && hole) {
            if (headersLeft < 2) {
                return false;
            }
            holeLengths[i] = Bytes.u16(bytes, take(2));
        }
        return imageLengths[i] > 0 && (hole || holeOffsets[i] == 0);
    }

    private boolean isCompressed(int i) {
        return (imageFlags[i] & (format.hasImageCompressionMethods() ? 0x1c : 0x02)) != 0;
    }

    private void locateData() {
        int at = cursor;
        for (int i = 0; i < blockCount; i++) {
            imageOffsets[i] = at;
            at += imageLengths[i];
            dataOffsets[i] = at;
            at += dataLengths[i];
        }
        mainOffset = at;
    }

    /// Where the record begins.
    public Lsn lsn() {
        return Lsn.of(begin);
    }

    /// Where the next record begins, or the page header before it.
    public Lsn end() {
        return Lsn.of(end);
    }

    long begin() {
        return begin;
    }

    long endPosition() {
        return end;
    }

    public WalFormat format() {
        return format;
    }

    /// The record before this one.
    public Lsn previous() {
        return Lsn.of(Bytes.i64(bytes, base + 8));
    }

    public int totalBytes() {
        return totalBytes;
    }

    /// The transaction that wrote it; 0 for none.
    public long xid() {
        return Bytes.u32(bytes, base + 4);
    }

    /// The upper four bits are the resource manager's.
    public int info() {
        return bytes[base + 16] & 0xff;
    }

    int operation() {
        return bytes[base + 16] & 0xf0;
    }

    public int managerId() {
        return bytes[base + 17] & 0xff;
    }

    /// The resource manager's name as PostgreSQL's own tools print it.
    public String managerName() {
        return Rmgr.name(managerId());
    }

    boolean is(Rmgr manager) {
        return managerId() == manager.id();
    }

    boolean is(Rmgr manager, int operation) {
        return managerId() == manager.id() && operation() == operation;
    }

    /// The replication origin that was set, if one was.
    public Optional<Integer> origin() {
        return origin == 0 ? Optional.empty() : Optional.of(origin);
    }

    /// The top-level transaction of a subtransaction, where `wal_level=logical` noted it.
    public Optional<Long> topLevelXid() {
        return topLevelXid == 0
                ? Optional.empty()
                : Optional.of(Integer.toUnsignedLong(topLevelXid));
    }

    public int blockCount() {
        return blockCount;
    }

    /// The number the resource manager knows the i-th reference by.
    public int blockId(int i) {
        return ids[i];
    }

    public RelationFile blockFile(int i) {
        return new RelationFile(
                Integer.toUnsignedLong(tablespaces[i]),
                Integer.toUnsignedLong(databases[i]),
                Integer.toUnsignedLong(numbers[i]));
    }

    boolean blockIsIn(int i, RelationFile file) {
        return numbers[i] == (int) file.number()
                && databases[i] == (int) file.database()
                && tablespaces[i] == (int) file.tablespace();
    }

    int blockDatabase(int i) {
        return databases[i];
    }

    int blockFileNumber(int i) {
        return numbers[i];
    }

    public Fork blockFork(int i) {
        return Fork.at(flags[i] & 0x0f);
    }

    int rawBlock(int i) {
        return blocks[i];
    }

    public long blockNumber(int i) {
        return Integer.toUnsignedLong(blocks[i]);
    }

    /// The page is initialised anew by this record.
    public boolean blockIsInitialised(int i) {
        return (flags[i] & WILL_INIT) != 0;
    }

    public int blockDataBytes(int i) {
        return dataLengths[i];
    }

    public byte[] blockData(int i) {
        return Arrays.copyOfRange(bytes, dataOffsets[i], dataOffsets[i] + dataLengths[i]);
    }

    /// The image of the page in this reference, if it has one.
    public Optional<PageImage> image(int i) {
        if ((flags[i] & HAS_IMAGE) == 0) {
            return Optional.empty();
        }
        return Optional.of(
                new PageImage(
                        PageImage.compression(format, imageFlags[i]),
                        (imageFlags[i] & (format.hasImageCompressionMethods() ? 2 : 4)) != 0,
                        holeOffsets[i],
                        holeLengths[i],
                        imageLengths[i]));
    }

    /// The image of the i-th reference as it stands in the log; empty if it has none.
    public byte[] imageBytes(int i) {
        return Arrays.copyOfRange(bytes, imageOffsets[i], imageOffsets[i] + imageLengths[i]);
    }

    public int mainDataBytes() {
        return mainLength;
    }

    public byte[] mainData() {
        return Arrays.copyOfRange(bytes, mainOffset, mainOffset + mainLength);
    }

    /// A reader of the main data that refuses to go past its end.
    DataCursor data() {
        return new DataCursor(this, bytes, mainOffset, mainOffset + mainLength);
    }

    @Override
    public String toString() {
        return managerName() + " record at " + lsn();
    }
}
