package dev.mainstay;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/// The plan of the house, held by a test.
final class ArchitectureTest {
    private static final JavaClasses HOUSE =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .importPackages("dev.mainstay");

    @Test
    void baseUsesTheJdkAlone() {
        classes()
                .that()
                .resideInAPackage("dev.mainstay.base..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("dev.mainstay.base..", "java..", "org.jspecify..")
                .because("everybody depends on the values of base, so they depend on nobody")
                .check(HOUSE);
    }

    @Test
    void storageKnowsOnlyBase() {
        opensNoDoorTo(
                "storage",
                "a store keeps named bytes and must be replaceable without knowing what they mean",
                "repository",
                "postgres",
                "engine");
    }

    @Test
    void repositoryKnowsOnlyStorageAndBase() {
        opensNoDoorTo(
                "repository",
                "the format must outlive any version of PostgreSQL and any operation",
                "postgres",
                "engine");
    }

    @Test
    void postgresKnowsOnlyBase() {
        opensNoDoorTo(
                "postgres",
                "reading a cluster and its WAL has nothing to do with where backups are kept",
                "storage",
                "repository",
                "engine");
    }

    private static void opensNoDoorTo(String room, String reason, String... others) {
        String[] packages = new String[others.length];
        for (int i = 0; i < others.length; i++) {
            packages[i] = "dev.mainstay." + others[i] + "..";
        }
        noClasses()
                .that()
                .resideInAPackage("dev.mainstay." + room + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(packages)
                .because(reason)
                .allowEmptyShould(true)
                .check(HOUSE);
    }

    @Test
    void roomsFormNoCycle() {
        SlicesRuleDefinition.slices()
                .matching("dev.mainstay.(*)..")
                .should()
                .beFreeOfCycles()
                .because("rooms that need each other are one room")
                .allowEmptyShould(true)
                .check(HOUSE);
    }

    @Test
    void theCoreKnowsNoFrameworkAndNoCommandLine() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "picocli..",
                        "org.springframework..",
                        "dev.mainstay.cli..",
                        "dev.mainstay.server..",
                        "dev.mainstay.testkit..")
                .because("the same core serves the command line, the server and tests")
                .check(HOUSE);
    }

    @Test
    void classesAreNamedByWhatTheyDo() {
        noClasses()
                .should()
                .haveNameMatching(".*(Util|Utils|Helper|Helpers|Manager|Impl)(\\$.*)?")
                .because("such a name fits everything, so everything ends up in it")
                .check(HOUSE);
    }

    @Test
    void everyPackageIsNullMarked() {
        assertThat(HOUSE.getPackage("dev.mainstay").getSubpackagesInTree())
                .filteredOn(place -> !place.getClasses().isEmpty())
                .isNotEmpty()
                .as("null crosses no border: each package has a package-info with @NullMarked")
                .allMatch(ArchitectureTest::isNullMarked);
    }

    private static boolean isNullMarked(JavaPackage place) {
        return place.isAnnotatedWith(NullMarked.class);
    }
}
