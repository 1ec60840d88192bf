// swift-tools-version: 6.2

import PackageDescription

/// Micro-benchmarks, apart from the package that they measure so that it does not depend on what they need.
let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "rlkd", path: "../.."),
        // Without its own counting of allocations, which would take jemalloc's place.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "Engine",
            dependencies: [
                .product(name: "RLKD", package: "rlkd"), .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Engine",
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ]
)
