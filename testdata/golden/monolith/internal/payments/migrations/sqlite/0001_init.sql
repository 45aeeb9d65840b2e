-- +goose Up
CREATE TABLE "payments" (
    "id" INTEGER PRIMARY KEY AUTOINCREMENT,
    "order_id" TEXT NOT NULL,
    "amount" INTEGER NOT NULL,
    "currency" TEXT NOT NULL,
    "method" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "created_at" INTEGER NOT NULL,
    "row_version" INTEGER NOT NULL
);
CREATE INDEX "payments_order_id_idx" ON "payments" ("order_id");

-- +goose Down
DROP TABLE "payments";
