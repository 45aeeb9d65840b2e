-- +goose Up
CREATE TABLE "orders" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "items" TEXT NOT NULL,
    "shipping_address" TEXT,
    "deliver_by" INTEGER,
    "note" TEXT,
    "created_at" INTEGER NOT NULL,
    "updated_at" INTEGER NOT NULL,
    "row_version" INTEGER NOT NULL
);
CREATE INDEX "orders_user_id_idx" ON "orders" ("user_id");
CREATE INDEX "orders_status_idx" ON "orders" ("status");
CREATE INDEX "orders_created_at_id_idx" ON "orders" ("created_at", "id");

-- +goose Down
DROP TABLE "orders";
