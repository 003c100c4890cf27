//! What import scripts can be written for.

use crate::words::word_enum;

word_enum! {
    /// A database or engine that a package can bring an import script for.
    ImportTarget, "import target" {
        /// PostgreSQL, by `psql`.
        PostgreSql = "postgresql" | "postgres",
        /// ClickHouse, by `clickhouse local`.
        ClickHouse = "clickhouse",
        /// `DuckDB`, by its shell or from any of its clients.
        DuckDb = "duckdb",
        /// Apache Spark, by `spark-submit`.
        Spark = "spark" | "pyspark",
        /// SQLite, by Python.
        Sqlite = "sqlite" | "sqlite3",
    }
}
