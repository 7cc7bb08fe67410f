package dev.mainstay.base;

import java.util.Locale;

/// The closed catalogue of what can go wrong. A number never changes its meaning and is never used
/// again. Hundreds belong to rooms: 01 storage, 02 repository, 03 keys, 04 configuration and
/// command line, 05 connection to PostgreSQL, 06 backup, 07 WAL, 08 restore, 09 check and verify,
/// 10 demo and environment, 11 recovery of single tables, 12 server.
public enum ErrorCode {
    // 01 storage
    STORE_UNAVAILABLE(
            101, "is the store mounted or reachable, and may this user read and write it?"),
    STORE_OBJECT_MISSING(102, "run 'mainstay verify' to see which backups need it"),
    STORE_FULL(
            103, "free space or enlarge the store, then run the command again; nothing was lost"),
    STORE_REFUSED(104, "check permissions and retention locks of the store"),
    STORE_OBJECT_EXISTS(105, "objects are written once; this name holds something else"),
    STORE_URL_INVALID(
            106,
            "use file:///absolute/path, s3://bucket/prefix or az://account/container/prefix or"
                    + " gs://bucket/prefix"),
    STORE_READ_SHORT(107, "the object is shorter than its users say; run 'mainstay verify'"),
    STORE_NAME_INVALID(108, "objects are named by Mainstay; please report this message"),
    STORE_INCAPABLE(
            109,
            "use a store that heeds conditional puts and lists what was put, in the order of names;"
                    + " no repository was made"),

    // 02 repository
    REPOSITORY_MISSING(201, "run 'mainstay init' to create it, or correct repository.url"),
    REPOSITORY_EXISTS(202, "choose another repository.url, or use the one that is there"),
    REPOSITORY_FOREIGN(203, "repository.url points at something else; correct it"),
    REPOSITORY_NEWER(204, "use a newer version of Mainstay to open it"),
    OBJECT_DAMAGED(205, "run 'mainstay verify' to see what is affected"),
    PACK_TRUNCATED(206, "run 'mainstay verify' to see what is affected"),
    PACK_FORGED(207, "somebody or something changed this object; run 'mainstay verify'"),
    BACKUP_UNKNOWN(208, "'mainstay backups' lists what there is"),
    SOURCE_UNKNOWN(209, "name a source of the configuration, or back it up first"),
    CHAIN_BROKEN(210, "a record vanished from the repository; run 'mainstay verify'"),
    BACKUP_ABORTED(211, "a collector gave up on this backup; start it again"),
    SEGMENT_TOO_LARGE(
            212, "format 1 holds relation segment files of up to 1048576 blocks; please report it"),
    PRUNE_UNCERTAIN(
            213,
            "run 'mainstay verify', and bring back what is damaged or missing from a copy of the"
                    + " repository"),
    PRUNE_STORE_UNFIT(214, "keep the repository in a store that can; nothing was removed"),
    COPY_CONFLICT(
            215,
            "verify both with 'mainstay verify' and 'mainstay verify --from COPY'; remove the"
                    + " damaged object, then copy again"),
    COPY_UNSETTLED(216, "copy again while no 'mainstay expire' or 'mainstay prune' runs"),

    // 03 keys
    KEY_WRONG(301, "use the passphrase or key file this repository was created with"),
    KEY_MISSING(302, "set repository.key in the configuration"),
    KEY_FILE_INVALID(303, "a key file is written by 'mainstay init'; restore it from your copy"),
    KEY_OBJECT_DAMAGED(304, "restore the keys/ objects from a copy of the repository"),
    SEAL_BROKEN(305, "the object was changed after it was written; run 'mainstay verify'"),
    KEY_UNEXPECTED(
            306,
            "remove repository.key if this repository was created without encryption; otherwise its"
                    + " 'format' object was replaced"),
    KEY_SERVICE(
            307, "see that the key service or token is reachable and lets this host use the key"),
    KEY_SUPERSEDED(
            308,
            "use a key that 'mainstay keys rotate' kept: this one reads what is older, and writes"
                    + " nothing"),
    SOURCE_SHREDDED(
            309,
            "protect it anew under another name, or remove it from the configuration; a copy keeps"
                    + " it until it is shredded there too"),
    KEY_LAST(310, "add another way in first: 'mainstay keys add' or 'mainstay keys escrow'"),
    KEY_RECIPIENT_UNKNOWN(311, "'mainstay keys list' shows which there are"),
    KEY_SHRED_UNFINISHED(312, "run 'mainstay keys shred' for this source again"),
    SHRED_HELD(314, "'mainstay backups release ID' ends a hold, for who may"),
    KEY_RECIPIENT_EXISTS(313, "nothing was changed; 'mainstay keys list' shows who opens what"),

    // 04 configuration and command line
    CONFIG_MISSING(401, "create mainstay.yaml or pass --config FILE"),
    CONFIG_INVALID(402, "correct the configuration"),
    CONFIG_KEY_UNKNOWN(403, "correct the spelling"),
    CONFIG_VARIABLE_UNSET(404, "set the environment variable or give a default: ${NAME:default}"),
    USAGE_INVALID(405, "see 'mainstay COMMAND --help'"),
    CONFIRMATION_NEEDED(406, "answer on a terminal or pass --yes"),
    INTERRUPTED(407, "run the command again; what was committed before is untouched"),
    RUNTIME_MISSING(408, "install a JDK 25 or newer, and Mainstay as a whole"),

    // 05 connection to PostgreSQL
    SERVER_UNREACHABLE(501, "is the server running, and does the url name its host and port?"),
    SERVER_LOGIN_REFUSED(502, "check user, password and pg_hba.conf"),
    SERVER_VERSION_UNSUPPORTED(503, "PostgreSQL 14 to 18 are supported"),
    SERVER_RIGHT_MISSING(
            504, "'mainstay check SOURCE --fix --admin-url URL' grants what is missing"),
    SERVER_PROTOCOL(505, "the server answered unexpectedly; look into its log"),
    SERVER_TLS(506, "check sslmode and certificates"),
    SERVER_QUERY_FAILED(507, "look into the server's log"),

    // 06 backup
    BACKUP_CLUSTER_MISMATCH(601, "data-directory and url must name the same running cluster"),
    BACKUP_FILE_VANISHED(602, "start the backup again"),
    BACKUP_PAGE_DAMAGED(603, "restore the named pages from an older backup"),
    BACKUP_ARCHIVE_DEAD(
            604,
            "start 'mainstay server' or 'mainstay wal receive', or set archive_command; then run"
                    + " 'mainstay check'"),
    BACKUP_CONTROL_FILE(
            605, "is data-directory a PostgreSQL data directory that this user may read?"),
    BACKUP_FRAME_MISMATCH(606, "memory or disk of this host may be failing; test it"),
    BACKUP_SERVER_STOPPED(607, "start the server and the backup again"),
    BACKUP_FILE_UNREADABLE(608, "check permissions; run as the owner of the data directory"),
    BACKUP_LINK_LOOP(609, "remove the symbolic link from the data directory"),
    BACKUP_CHANGES_MISSED(
            610,
            "take a full backup now, and report this: a change that the WAL does not name is a bug,"
                    + " or something other than the server wrote the file"),
    BACKUP_STANDBY_UNFIT(
            611,
            "put the standby right, or take backups from the primary meanwhile (backup-from:"
                    + " primary)"),

    // 07 WAL
    WAL_CONFLICT(
            701,
            "two servers write the same history; find out which one is right before archiving goes"
                    + " on"),
    WAL_GAP(702, "take a backup now; the recovery window ends at the gap"),
    WAL_SPOOL_LIMIT(703, "bring the repository back; the server keeps its WAL meanwhile"),
    WAL_SLOT_LOST(704, "take a backup now; the slot was invalidated by the server"),
    WAL_RECORD_INVALID(705, "the WAL is damaged from this position on"),
    WAL_ABSENT(706, "not in the repository"),
    WAL_FILE_INVALID(707, "the file is no WAL of this source"),
    WAL_SPOOL_DAMAGED(708, "remove the spool; the server sends what was not stored again"),
    WAL_RECEIVER_RUNS(
            709,
            "a source has one receiver: stop the other one first, or wait until the server has"
                    + " noticed that it is gone (wal_sender_timeout)"),
    WAL_AGENT_RUNS(710, "one agent serves all that its user pushes and gets; use that one"),
    WAL_AGENT_PLACE(
            711,
            "name a folder that belongs to this user, and only this user may write, with"
                    + " MAINSTAY_AGENT"),
    WAL_AGENT_CLIENT(
            712,
            "name a folder whose programs may be run with MAINSTAY_AGENT; without an agent,"
                    + " 'wal push' and 'wal get' still work, each with a start of Java"),
    WAL_FREED(
            713,
            "'mainstay expire --plan' shows what can be recovered; to keep more, lengthen 'wal: {"
                    + " days: N }' of the source's retention"),

    // 08 restore
    RESTORE_DIRECTORY_UNSAFE(801, "name an empty or a new directory"),
    RESTORE_SERVER_RUNNING(802, "stop the server first"),
    RESTORE_TARGET_UNREACHABLE(803, "'mainstay wal timeline' shows what can be reached"),
    RESTORE_NO_BACKUP(804, "'mainstay backups' lists what there is"),
    RESTORE_TABLESPACE(805, "map it with --tablespace OLD=NEW"),
    RESTORE_CONTENT_WRONG(806, "run 'mainstay verify'; nothing was made startable"),
    RESTORE_START_FAILED(807, "look into the server's log in the restored directory"),
    RESTORE_WRITE_FAILED(808, "free space or fix permissions, then run the restore again"),
    RESTORE_DATABASE_UNKNOWN(
            811, "name a database as the backup's catalog has it, upper and lower case included"),
    RESTORE_PAGE_IMAGES(
            812,
            "restore the whole cluster, or from a backup that was taken with full_page_writes on"
                    + " since"),
    RESTORE_DATABASE_DAMAGED(
            813, "restore the whole cluster, or from another backup (--backup), and compare"),
    RESTORE_OTHER_CLUSTER(809, "name the directory of the cluster that was backed up"),
    RESTORE_HOOK_BEFORE(810, "correct the command in the configuration, or what it ran into"),
    RESTORE_HOOK_AFTER(814, "do by hand what the command should have done; do not restore again"),
    RESTORE_PREVIOUS(815, "remove what is in the way and run it again: what was begun is finished"),

    // 09 check and verify
    VERIFY_FAILED(901, "restore the named objects from a copy, or take a new full backup"),
    CHECK_FAILED(902, "'mainstay check --fix' does what can be done from here"),
    LOCKS_LACKING(
            903,
            "run 'mainstay lock extend' daily from a timer, as a user who may lock objects; see"
                    + " docs/immutability.md"),
    REPAIR_INCOMPLETE(
            904,
            "back up now; what is named is lost unless another copy has it: name its place under"
                    + " copies and repair again; see docs/repair.md"),
    REPAIR_NOT_KEPT(905, "test the disks and the memory of the store; then repair again"),
    CLUSTER_DAMAGED(
            906,
            "keep what there is: 'mainstay backups hold ID'; then REINDEX an index that is named,"
                    + " and bring rows back with 'mainstay recover table' from before the damage"),
    AMCHECK_MISSING(
            907, "as a superuser, in each database to be checked: CREATE EXTENSION amcheck"),

    // 10 demo and environment
    DEMO_BINARIES_MISSING(1001, "run the demo from a checkout, with ./mainstay demo"),
    SERVER_START_FAILED(1002, "look into the log that is named above"),
    SERVER_STOP_FAILED(1003, "look into the log that is named above; stop it by hand"),
    TEMPORARY_FOLDER(
            1004,
            "free space there, or name another folder with"
                    + " MAINSTAY_JAVA_OPTS=-Djava.io.tmpdir=FOLDER"),
    INTERNAL(1099, "this is a bug in Mainstay; please report it with the text above"),

    // 11 recovery of single tables
    RECOVER_TABLE_UNKNOWN(
            1101,
            "write it as SQL does: SCHEMA.TABLE, with double quotes round what is not lower case"),
    RECOVER_TABLE_EXISTS(1102, "nothing is ever overwritten: give another name, --as SCHEMA.NAME"),
    RECOVER_PROGRAM_MISSING(1103, "install it, or name its directory: --bin-directory DIR"),
    RECOVER_SPACE(1104, "free space, or name a roomier directory: --sandbox DIR"),
    RECOVER_EXPORT_FAILED(1105, "nothing was changed; --keep keeps the restored server's files"),
    RECOVER_IMPORT_FAILED(1106, "nothing was imported; correct the cause and run it again"),
    RECOVER_SERVER_OLDER(1107, "recover into a server of the same or a newer major version"),

    // 12 server
    SERVER_LISTEN(1201, "stop what listens there, or choose another address: server.listen"),
    SERVER_STATE(
            1202,
            "see that the folder or database of server.state is there and this user may use it;"
                    + " backups are none of what it holds"),
    SERVER_STATE_IN_USE(
            1203, "a folder is one server's; several share a database: server.state.url"),
    SERVER_CERTIFICATE(
            1204,
            "server.tls needs PEM files: the certificate with those that vouch for it, and its"
                    + " private key, unencrypted"),
    JOB_UNKNOWN(1205, "GET /api/v1/jobs lists what there is"),
    JOB_OVER(1206, "a job that has ended stays as it is; start another one"),
    JOB_TIMED_OUT(
            1207, "see its log for what took so long, or give it more time: schedules.….timeout"),
    TOKEN_UNKNOWN(1208, "GET /api/v1/tokens lists what there is"),
    TOKEN_NEEDED(1209, "send 'Authorization: Bearer TOKEN' with a token that has not expired"),
    ROLE_LACKING(1210, "ask an administrator for a token with the role that this needs"),
    KEY_REUSED(
            1240,
            "an Idempotency-Key stands for one request for a day: make a new one for another"),
    NOT_OFFERED(1241, "docs/server.md says what there is"),
    AUDIT_BROKEN(
            1230,
            "somebody changed what was on record, or set the state back: find out who could, and"
                    + " keep repository and state as they are until then"),
    AUDIT_UNWRITTEN(
            1231,
            "nothing is changed that cannot be put on record; see that the state can be written"),
    GRANT_LACKING(1232, "ask an administrator for a token that is for this source, or for all"),
    ISSUER_AWAY(
            1233,
            "see that this host reaches server.oidc.issuer; tokens of the server itself work"),
    RATE_EXCEEDED(1234, "wait as long as Retry-After says, or ask less often; see server.limits"),
    BODY_TOO_LARGE(1235, "send less, and say with Content-Length how much; see server.limits.body"),
    CLIENT_CERTIFICATE_NEEDED(
            1236, "connect with a certificate of one of the authorities in server.tls.client-ca"),
    ALERT_UNKNOWN(1260, "GET /api/v1/alerts lists what there is"),
    ALERT_OVER(1261, "an alert that is resolved stays so; it comes back if it happens again"),
    CHANNEL_UNKNOWN(1262, "GET /api/v1/notifications lists the channels of the configuration"),
    CHANNEL_FAILED(
            1263,
            "check address, credentials and network; 'ca-file' names authorities of your own"),
    SERVER_AWAY(
            1280,
            "see that the address is right, the server runs, and its certificate is of somebody"
                    + " whom --server-ca names"),
    SERVER_ANSWER(1281, "see that this is a Mainstay server, and of a version like this one"),
    CONFIRMATION_ABSENT(
            1270,
            "POST /api/v1/confirmations tells what would be lost and answers a token: send that as"
                    + " Confirmation-Token with the request"),
    CONFIRMATION_UNKNOWN(1271, "GET /api/v1/confirmations lists what there is"),
    CONFIRMATION_INVALID(
            1272,
            "send the token that POST /api/v1/confirmations answered you; nobody else's works"),
    CONFIRMATION_OVER(1273, "it is good once and not for long: ask for another one"),
    CONFIRMATION_OTHER(1274, "look what would be lost now, and ask for another confirmation"),
    CONFIRMATION_WAITS(1275, "somebody else has to agree: POST /api/v1/confirmations/{id}/approve"),
    CONFIRMATION_OWN(1276, "ask another person who has the role for it");

    private final int number;
    private final String hint;

    ErrorCode(int number, String hint) {
        this.number = number;
        this.hint = hint;
    }

    public int number() {
        return number;
    }

    /// What to do, unless the place that throws knows better.
    public String hint() {
        return hint;
    }

    /// As printed and in JSON: `MS-0123`.
    public String id() {
        return String.format(Locale.ROOT, "MS-%04d", number);
    }
}
