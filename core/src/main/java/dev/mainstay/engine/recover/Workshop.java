package dev.mainstay.engine.recover;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// Prepares a table in the sandbox so that its dump fits the target: gives it and what belongs to
/// it the names they will have, cuts it loose from what is not dumped with it, and takes away what
/// the target has nobody for. The sandbox is thrown away, so nothing here needs to be undone.
final class Workshop {
    private static final int NAME_BYTES = 63;

    /// A foreign key of the table, to be made last.
    record ForeignKey(String name, String statement) {}

    private final Sql sandbox;
    private final Sql target;
    private final QualifiedName as;
    private final Map<Long, QualifiedName> members = new LinkedHashMap<>();
    private final List<ForeignKey> foreignKeys = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Set<String> taken = new HashSet<>();
    private int away;

    /// @param as the name it will have
    Workshop(Sql sandbox, Sql target, QualifiedName as) {
        this.sandbox = sandbox;
        this.target = target;
        this.as = as;
    }

    /// Tables to dump: the one that is wanted and, of a partitioned one, all its partitions.
    List<QualifiedName> members() {
        return List.copyOf(members.values());
    }

    List<ForeignKey> foreignKeys() {
        return foreignKeys;
    }

    /// What does not come along, or comes otherwise than it was.
    List<String> notes() {
        return notes;
    }

    /// OIDs for `IN (…)`.
    private String oids() {
        return members.keySet().stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    /// Finds the table and its partitions.
    ///
    /// @throws MainstayException RECOVER_TABLE_UNKNOWN if it is not there at this moment
    void find(QualifiedName table) throws SQLException {
        List<List<String>> found =
                sandbox.rows(
                        "SELECT c.oid, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid ="
                                + " c.relnamespace WHERE n.nspname = ? AND c.relname = ? AND"
                                + " c.relkind IN ('r', 'p')",
                        table.schema(),
                        table.name());
        if (found.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.RECOVER_TABLE_UNKNOWN,
                    "at the moment that was reached there is no table " + table,
                    "choose another moment; 'mainstay wal timeline' shows when tables came and"
                            + " went",
                    null);
        }
        long oid = Long.parseLong(found.getFirst().getFirst());
        members.put(oid, table);
        if (found.getFirst().getLast().equals("p")) {
            for (List<String> row :
                    sandbox.rows(
                            "SELECT c.oid, n.nspname, c.relname, c.relkind FROM"
                                    + " pg_partition_tree(?::bigint::oid::regclass) t JOIN pg_class"
                                    + " c ON c.oid = t.relid JOIN pg_namespace n ON n.oid ="
                                    + " c.relnamespace WHERE t.level > 0 ORDER BY t.level, c.oid",
                            oid)) {
                members.put(
                        Long.parseLong(row.getFirst()), new QualifiedName(row.get(1), row.get(2)));
                if (row.get(3).equals("f")) {
                    notes.add(
                            "partition " + row.get(2) + " is a foreign table: its server is used");
                }
            }
        }
    }

    /// Condition on `pg_class c` for the table and its TOAST.
    String condition() {
        return "c.oid IN ("
                + oids()
                + ") OR c.oid IN (SELECT reltoastrelid FROM pg_class WHERE oid IN ("
                + oids()
                + "))";
    }

    String count() throws SQLException {
        return sandbox.text("SELECT count(*) FROM " + first().quoted()).orElseThrow();
    }

    private QualifiedName first() {
        return members.values().iterator().next();
    }

    private long firstOid() {
        return members.keySet().iterator().next();
    }

    /// Everything that has to be done before the dump.
    void prepare() throws SQLException {
        cutLoose();
        triggers();
        policies();
        rename();
        foreignKeysAside();
        owners();
        grants();
    }

    /// From a parent that is not dumped.
    private void cutLoose() throws SQLException {
        for (List<String> row :
                sandbox.rows(
                        "SELECT p.oid::regclass::text, c.relispartition,"
                                + " pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN"
                                + " pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid ="
                                + " i.inhparent WHERE i.inhrelid = ?::bigint::oid",
                        firstOid())) {
            String parent = row.getFirst();
            if (row.get(1).equals("t")) {
                sandbox.execute("ALTER TABLE " + parent + " DETACH PARTITION " + first().quoted());
                notes.add(
                        "comes as a table of its own; it was a partition: ALTER TABLE "
                                + parent
                                + " ATTACH PARTITION "
                                + as.quoted()
                                + " "
                                + row.get(2));
            } else {
                sandbox.execute("ALTER TABLE " + first().quoted() + " NO INHERIT " + parent);
                notes.add(
                        "does not inherit from "
                                + parent
                                + " any more: ALTER TABLE "
                                + as.quoted()
                                + " INHERIT "
                                + parent);
            }
        }
        for (String child :
                sandbox.texts(
                        "SELECT c.oid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid ="
                                + " i.inhrelid WHERE NOT c.relispartition AND i.inhparent ="
                                + " ?::bigint::oid",
                        firstOid())) {
            notes.add("table " + child + " inherits from it and does not come along");
        }
    }

    private void triggers() throws SQLException {
        for (List<String> row :
                sandbox.rows(
                        "SELECT t.tgname, t.tgrelid, t.tgfoid::regprocedure::text FROM pg_trigger t"
                            + " WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgrelid IN ("
                                + oids()
                                + ")")) {
            if (target.text("SELECT to_regprocedure(?)::text", row.get(2))
                    .filter(there -> !there.isEmpty())
                    .isEmpty()) {
                sandbox.execute(
                        "DROP TRIGGER "
                                + QualifiedName.quote(row.getFirst())
                                + " ON "
                                + member(row.get(1)).quoted());
                notes.add(
                        "trigger "
                                + row.getFirst()
                                + " is left out: the target has no function "
                                + row.get(2));
            }
        }
    }

    private QualifiedName member(String oid) {
        return java.util.Objects.requireNonNull(members.get(Long.parseLong(oid)));
    }

    private void policies() throws SQLException {
        for (List<String> row :
                sandbox.rows(
                        "SELECT p.polname, p.polrelid, r.rolname FROM pg_policy p JOIN pg_roles r"
                                + " ON r.oid = ANY (p.polroles) WHERE p.polrelid IN ("
                                + oids()
                                + ")")) {
            if (!isRole(row.get(2))) {
                sandbox.execute(
                        "DROP POLICY IF EXISTS "
                                + QualifiedName.quote(row.getFirst())
                                + " ON "
                                + member(row.get(1)).quoted());
                notes.add(
                        "policy "
                                + row.getFirst()
                                + " is left out: the target has no role "
                                + row.get(2));
            }
        }
    }

    private boolean isRole(String name) throws SQLException {
        return target.isTrue("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = ?)", name);
    }

    /// Tables first, then what belongs to them: indexes, and sequences they own.
    private void rename() throws SQLException {
        QualifiedName before = first();
        boolean moved = !before.equals(as);
        sandbox.execute("CREATE SCHEMA IF NOT EXISTS " + QualifiedName.quote(as.schema()));
        boolean main = true;
        for (Map.Entry<Long, QualifiedName> each : Map.copyOf(members).entrySet()) {
            if (each.getKey() != firstOid() && !moved && isTaken(each.getValue())) {
                throw new MainstayException(
                        ErrorCode.RECOVER_TABLE_EXISTS,
                        "partition " + each.getValue() + " exists in the target");
            }
        }
        for (Map.Entry<Long, QualifiedName> each : members.entrySet()) {
            QualifiedName old = each.getValue();
            QualifiedName name =
                    main ? as : moved ? free(old.name(), before.name(), as.schema()) : old;
            relation("TABLE", old, name);
            taken.add(name.name());
            each.setValue(name);
            main = false;
        }
        for (List<String> row :
                sandbox.rows(
                        "SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n"
                            + " ON n.oid = c.relnamespace WHERE c.oid IN (SELECT indexrelid FROM"
                            + " pg_index WHERE indrelid IN ("
                                + oids()
                                + ") UNION SELECT objid FROM pg_depend WHERE classid ="
                                + " 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND"
                                + " deptype IN ('a', 'i') AND refobjid IN ("
                                + oids()
                                + ")) AND c.relkind IN ('i', 'I', 'S') ORDER BY c.oid")) {
            QualifiedName old = new QualifiedName(row.getFirst(), row.get(1));
            QualifiedName name = free(old.name(), before.name(), old.schema());
            relation(row.get(2).equals("S") ? "SEQUENCE" : "INDEX", old, name);
            taken.add(name.name());
            if (!moved && !name.equals(old)) {
                notes.add(old + " is called " + name + ", since its name is taken");
            }
        }
    }

    private boolean isTaken(QualifiedName name) throws SQLException {
        return TargetDatabase.isTaken(target, name);
    }

    /// A name like the old one that nothing has in the target: with the table's new name instead of
    /// the one it begins with.
    private QualifiedName free(String old, String table, String schema) throws SQLException {
        String base = old.startsWith(table) ? as.name() + old.substring(table.length()) : old;
        QualifiedName name = new QualifiedName(schema, cut(base, ""));
        for (int i = 1; taken.contains(name.name()) || isTaken(name); i++) {
            name = new QualifiedName(schema, cut(base, "_" + i));
        }
        return name;
    }

    private static String cut(String name, String end) {
        String all = name + end;
        int length = name.length();
        while (all.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES) {
            length = name.offsetByCodePoints(length, -1);
            all = name.substring(0, length) + end;
        }
        return all;
    }

    /// Whatever else has the name in the sandbox makes way.
    private void relation(String kind, QualifiedName old, QualifiedName name) throws SQLException {
        if (old.equals(name)) {
            return;
        }
        Map<String, String> kinds = new HashMap<>();
        for (List<String> row :
                sandbox.rows(
                        "SELECT c.relkind, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid ="
                                + " c.relnamespace WHERE n.nspname = ? AND c.relname = ?",
                        name.schema(),
                        name.name())) {
            kinds.put(row.get(1), row.getFirst());
        }
        for (String other : kinds.values()) {
            sandbox.execute(
                    (other.equals("c") ? "ALTER TYPE " : "ALTER TABLE ")
                            + name.quoted()
                            + " RENAME TO mainstay_away_"
                            + ++away);
        }
        QualifiedName now = old;
        if (!old.schema().equals(name.schema())) {
            // Under a name that is in nobody's way on either side.
            String between = "mainstay_moving_" + ++away;
            sandbox.execute("ALTER " + kind + " " + now.quoted() + " RENAME TO " + between);
            sandbox.execute(
                    "ALTER "
                            + kind
                            + " "
                            + new QualifiedName(old.schema(), between).quoted()
                            + " SET SCHEMA "
                            + QualifiedName.quote(name.schema()));
            now = new QualifiedName(name.schema(), between);
        }
        sandbox.execute(
                "ALTER "
                        + kind
                        + " "
                        + now.quoted()
                        + " RENAME TO "
                        + QualifiedName.quote(name.name()));
    }

    /// What the table refers to may be missing in the target, or hold other rows by now.
    private void foreignKeysAside() throws SQLException {
        List<List<String>> keys =
                sandbox.rows(
                        "SELECT conname, conrelid, pg_get_constraintdef(oid) FROM pg_constraint"
                                + " WHERE contype = 'f' AND conparentid = 0 AND conrelid IN ("
                                + oids()
                                + ") ORDER BY oid");
        for (List<String> row : keys) {
            String alter = "ALTER TABLE " + member(row.get(1)).quoted();
            String name = QualifiedName.quote(row.getFirst());
            foreignKeys.add(
                    new ForeignKey(
                            row.getFirst(), alter + " ADD CONSTRAINT " + name + " " + row.get(2)));
            sandbox.execute(alter + " DROP CONSTRAINT " + name);
        }
        for (List<String> row :
                sandbox.rows(
                        "SELECT conrelid::regclass::text, quote_ident(conname),"
                                + " pg_get_constraintdef(oid) FROM pg_constraint WHERE contype ="
                                + " 'f' AND conparentid = 0 AND confrelid IN ("
                                + oids()
                                + ") AND conrelid NOT IN ("
                                + oids()
                                + ") ORDER BY oid")) {
            notes.add(
                    "foreign key of another table does not come along: ALTER TABLE "
                            + row.getFirst()
                            + " ADD CONSTRAINT "
                            + row.get(1)
                            + " "
                            + row.get(2));
        }
    }

    /// Who owns it there: the same role, if it exists and we may make it the owner.
    private void owners() throws SQLException {
        String self = target.text("SELECT current_user").orElseThrow();
        for (Map.Entry<Long, QualifiedName> each : members.entrySet()) {
            String owner =
                    sandbox.text(
                                    "SELECT r.rolname FROM pg_class c JOIN pg_roles r ON r.oid ="
                                            + " c.relowner WHERE c.oid = ?::bigint::oid",
                                    each.getKey())
                            .orElseThrow();
            if (owner.equals(self)
                    || (isRole(owner)
                            && target.isTrue("SELECT pg_has_role(?::name, 'MEMBER')", owner))) {
                continue;
            }
            if (sandbox.text("SELECT 1 FROM pg_roles WHERE rolname = ?", self).isEmpty()) {
                sandbox.execute("CREATE ROLE " + QualifiedName.quote(self));
            }
            sandbox.execute(
                    "ALTER TABLE "
                            + each.getValue().quoted()
                            + " OWNER TO "
                            + QualifiedName.quote(self));
            notes.add(
                    each.getValue()
                            + " belongs to "
                            + self
                            + ": its owner "
                            + owner
                            + " does not exist there, or it cannot be given to it");
        }
    }

    private void grants() throws SQLException {
        Set<String> missing = new HashSet<>();
        for (String role :
                sandbox.texts(
                        "SELECT DISTINCT r.rolname FROM (SELECT relacl AS acl FROM pg_class WHERE"
                                + " oid IN ("
                                + oids()
                                + ") UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid IN ("
                                + oids()
                                + ") UNION ALL SELECT s.relacl FROM pg_depend d JOIN pg_class s ON"
                                + " s.oid = d.objid AND s.relkind = 'S' WHERE d.classid ="
                                + " 'pg_class'::regclass AND d.refobjid IN ("
                                + oids()
                                + ")) a, LATERAL aclexplode(a.acl) g JOIN pg_roles r ON r.oid ="
                                + " g.grantee")) {
            if (!isRole(role)) {
                missing.add(role);
            }
        }
        for (String role : missing) {
            revoke(role);
            notes.add("privileges of role " + role + " are left out: the target has no such role");
        }
    }

    private void revoke(String role) throws SQLException {
        for (QualifiedName each : members.values()) {
            sandbox.execute(
                    "REVOKE ALL ON TABLE "
                            + each.quoted()
                            + " FROM "
                            + QualifiedName.quote(role)
                            + " CASCADE");
        }
        for (String sequence :
                sandbox.texts(
                        "SELECT s.oid::regclass::text FROM pg_depend d JOIN pg_class s ON s.oid ="
                                + " d.objid AND s.relkind = 'S' WHERE d.classid ="
                                + " 'pg_class'::regclass AND d.refobjid IN ("
                                + oids()
                                + ")")) {
            sandbox.execute(
                    "REVOKE ALL ON SEQUENCE "
                            + sequence
                            + " FROM "
                            + QualifiedName.quote(role)
                            + " CASCADE");
        }
    }
}
