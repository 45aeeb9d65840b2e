-- +goose Up
CREATE TABLE "orders" (
    "id" UUID NOT NULL PRIMARY KEY,
    "user_id" UUID NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL,
    "items" JSON NOT NULL,
    "shipping_address" JSON,
    "deliver_by" BIGINT,
    "note" TEXT COLLATE "C",
    "created_at" BIGINT NOT NULL,
    "updated_at" BIGINT NOT NULL,
    "row_version" BIGINT NOT NULL
);
CREATE INDEX "orders_user_id_idx" ON "orders" ("user_id");
CREATE INDEX "orders_status_idx" ON "orders" ("status");
CREATE INDEX "orders_created_at_id_idx" ON "orders" ("created_at", "id");

-- +goose Down
DROP TABLE "orders";
