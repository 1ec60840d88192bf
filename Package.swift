// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
]

/// Kernel variants: one source folder, one target for each instruction set (symbolic links share the files).
func kernelVariant(_ name: String, defines: [String], compilerFlags: [String]) -> Target {
    .target(
        name: name,
        dependencies: ["CSIMD"],
        swiftSettings: strict
            + defines.map { .define($0) }
            + [.unsafeFlags(["-Ounchecked"] + compilerFlags.flatMap { ["-Xcc", $0] })]
    )
}

#if arch(x86_64)
    // What the compiler takes x86-64-v4 to be tuned for prefers vectors of 256 bits; Zen 4 does not.
    let vectorVariants: [Target] = [
        kernelVariant("KernelsAVX2", defines: ["KERNELS_FMA"], compilerFlags: ["-march=x86-64-v3"]),
        kernelVariant(
            "KernelsAVX512", defines: ["KERNELS_FMA", "KERNELS_AVX512"],
            compilerFlags: ["-march=x86-64-v4", "-mtune=znver4"]),
        kernelVariant(
            "KernelsAVX512BF16", defines: ["KERNELS_FMA", "KERNELS_AVX512", "KERNELS_BF16"],
            compilerFlags: ["-march=x86-64-v4", "-mavx512bf16", "-mavx512vnni", "-mtune=znver4"]),
    ]
#else
    let vectorVariants: [Target] = []
#endif

let variantNames = ["KernelsBaseline"] + vectorVariants.map(\.name)

extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let deque = product(name: "DequeModule", package: "swift-collections")
    static let heap = product(name: "HeapModule", package: "swift-collections")
    static let orderedCollections = product(name: "OrderedCollections", package: "swift-collections")
    static let histogram = product(name: "Histogram", package: "hdrhistogram-swift")
    static let logging = product(name: "Logging", package: "swift-log")
    static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let yams = product(name: "Yams", package: "Yams")
}

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, exclude: resources,
        swiftSettings: strict)
}

let package = Package(
    name: "rlkd",
    products: [
        // For the micro-benchmarks in Tools/Benchmarks.
        .library(
            name: "RLKD",
            targets: [
                "Files", "Generation", "Kernels", "Learning", "Memory", "Models", "Pipelines", "StructureRewards",
                "Tokenizers", "Trajectories",
            ])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: vectorVariants + [
        .target(name: "CSIMD"),
        .systemLibrary(name: "CJemalloc", pkgConfig: "jemalloc", providers: [.apt(["libjemalloc-dev"])]),
        kernelVariant("KernelsBaseline", defines: [], compilerFlags: []),
        library("Kernels", ["CSIMD"] + variantNames.map { .byName(name: $0) }),
        library("Memory", ["CJemalloc"]),
        library("Files", ["Memory"]),
        library("Pipelines", ["Files", "Memory", .deque, .histogram, .logging, .serviceLifecycle, .unixSignals]),
        library("Trajectories", []),
        library("Tokenizers", ["Files", .heap, .orderedCollections]),
        library("Models", ["Files", "Kernels", "Memory", "Pipelines", "Tokenizers", "Trajectories"]),
        library("Generation", ["Kernels", "Memory", "Models", "Pipelines", "Trajectories"]),
        library("Tasks", ["Files", "Memory", "Pipelines", "Trajectories", .serviceLifecycle]),
        library("Rollouts", ["Generation", "Models", "Pipelines", "Trajectories", .serviceLifecycle]),
        library("StructureRewards", [.deque, "Pipelines", "Trajectories", .serviceLifecycle]),
        library("Learning", ["Kernels", "Memory", "Models", "Pipelines", "Trajectories", .serviceLifecycle]),
        library(
            "Training",
            [
                "Files", "Generation", "Kernels", "Learning", "Memory", "Models", "Pipelines", "Rollouts",
                "StructureRewards", "Tasks", "Tokenizers", "Trajectories", .logging, .unixSignals, .yams,
            ]),
        .executableTarget(
            name: "rlkd",
            dependencies: [
                "Files", "Generation", "Kernels", "Learning", "Memory", "Models", "Pipelines", "Rollouts",
                "StructureRewards", "Tasks", "Tokenizers", "Training", "Trajectories", .argumentParser, .logging,
                .serviceLifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["Pipelines"], path: "Tests/TestSupport", swiftSettings: strict),
        .executableTarget(
            name: "PeakOfRun", dependencies: ["Pipelines"], path: "Tests/PeakOfRun", swiftSettings: strict),
        tests("Kernels", ["TestSupport"] + variantNames.map { .byName(name: $0) }),
        tests("Memory", []),
        tests("Files", []),
        tests("Pipelines", ["Memory", "TestSupport", .logging, .serviceLifecycle, .unixSignals]),
        tests("Tokenizers", ["TestSupport", "Trajectories"], resources: ["Fixtures"]),
        tests("Tasks", ["TestSupport", "Trajectories"]),
        tests("StructureRewards", ["TestSupport", "Trajectories"]),
        tests(
            "Models", ["Files", "Kernels", "Memory", "Pipelines", "TestSupport", "Tokenizers", "Trajectories"],
            resources: ["Fixtures"]),
        tests("Generation", ["Memory", "Models", "Pipelines", "TestSupport", "Trajectories"]),
        tests("Trajectories", []),
        tests(
            "Learning", ["Generation", "Memory", "Models", "Pipelines", "TestSupport", "Trajectories"],
            resources: ["Fixtures"]),
        tests(
            "Rollouts",
            [
                "Generation", "Learning", "Models", "Pipelines", "StructureRewards", "Tasks", "Tokenizers",
                "Trajectories", .logging, .serviceLifecycle, .unixSignals,
            ]),
        tests(
            "Training",
            [
                "Files", "Generation", "Kernels", "Learning", "Memory", "Models", "Pipelines", "StructureRewards",
                "Tasks", "TestSupport", "Tokenizers", "Trajectories", .logging, .unixSignals, .yams,
            ]),
        tests(
            "rlkd",
            [
                "Files", "Generation", "Kernels", "Models", "PeakOfRun", "Pipelines", "StructureRewards", "Tasks",
                "TestSupport", "Tokenizers", "Training", "Trajectories",
            ],
            resources: ["Fixtures"]),
    ]
)
